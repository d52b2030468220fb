"""Panels and cameras that are slow, short, of ten bits, twins, or without their library."""

from __future__ import annotations

import ctypes
from functools import partial

import numpy as np

from benchmarks.calibration_checks.slow_panels import one_panel
from benchmarks.parts import Setting
from benchmarks.small_benches import calibrated_bench_text
from benchmarks.stranger_checks.case import StrangerCase
from drivers.camera.chosen import CameraIdentity, choose_camera
from drivers.errors import DeviceNotFoundError
from drivers.maker_library import MakerFunctions, maker_module, not_loaded
from drivers.phase_quantiser import PhaseQuantiser
from drivers.slm.level_encoding import LevelEncoding
from labdiff.bench.check_devices import check_devices
from labdiff.bench.openers import slm_opener
from labdiff.config.bench import BenchConfig, bench_text, parse_bench

TURN_RAD = 2.0 * np.pi
SETTLED_SHARE = 0.05
ENCODINGS = ("santec", "R7-0 B7-6", "R7-0 B1-0", "G7-0 R1-0", "B7-0 G7-6")
NO_ENCODINGS = ("rgb", "R7-0 B7", "R7-0 R7-6", "R9-0 B1-0")
TWINS = (CameraIdentity("", "left", "usb 1"), CameraIdentity("", "right", "usb 2"))
MISSING = (
    OSError("libmaker.so.3: cannot open shared object file"),
    ImportError("DLL load failed while importing _maker"),
    AttributeError("function 'Open' not found"),
)


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    slow = setting.amount("slow panels", smoke=(), quick=(60,), full=(60, 150, 500))
    return [
        *(StrangerCase(f"10 bits as {text}", partial(_encoded, text)) for text in ENCODINGS),
        *(StrangerCase(f"10 bits as {text}", partial(_encoded, text)) for text in NO_ENCODINGS),
        StrangerCase("10 bits over slmPy's line", partial(_opened, "slmpy", 'encoding = "santec"')),
        *(
            StrangerCase(
                f"voltages for {driver}", partial(_opened, driver, 'voltage_lut = "a.lut"')
            )
            for driver in ("screen", "slmpy", "meadowlark")
        ),
        *(StrangerCase(f"a stroke of {s:g} turns", partial(_short, s)) for s in (0.5, 0.8, 0.95)),
        StrangerCase("a declared stroke short of 2 pi", _declared_short),
        *(
            StrangerCase(f"twins, {given or 'none named'}", partial(_twin, given, index))
            for given, index in (
                ("", 0),
                ("#2", 1),
                ("name=right", 1),
                ("port=usb 1", 0),
                ("#3", 0),
            )
        ),
        StrangerCase("a package that is not installed", _not_installed),
        *(
            StrangerCase(f"a missing library: {type(error).__name__}", partial(_missing, error))
            for error in MISSING
        ),
        StrangerCase("a library of another version", _another_version),
        *(StrangerCase(f"a panel of {ms} ms, declared fast", partial(_slow, ms)) for ms in slow),
    ]


def _encoded(text: str) -> bool:
    """Return whether every level has colours of its own."""
    levels = np.arange(1024, dtype=np.uint16)[None, :]
    colours = LevelEncoding.parse(text).colours(levels)[0]
    return len({tuple(colour) for colour in colours.tolist()}) == levels.size


def _with_options(driver: str, options: str) -> BenchConfig:
    text = bench_text("mock-small")[1].replace("[input]", f"[slm.options]\n{options}\n\n[input]", 1)
    before, section, after = text.partition("[slm]")
    own = after.replace('driver = "mock"', f'driver = "{driver}"\naddress = "127.0.0.1"', 1)
    return parse_bench(f"{before}{section}{own}", "bench.toml")


def _opened(driver: str, options: str) -> bool:
    slm_opener(_with_options(driver, options))().close()
    return False


def _short(turns: float) -> bool:
    """Return whether the nearer end is shown of what a short stroke lacks, and nothing beyond it."""
    table = np.linspace(0.0, turns * TURN_RAD, 256)
    wanted = np.linspace(0.0, TURN_RAD, 5000, dtype=np.float32)
    shown = PhaseQuantiser(8, table).realised(wanted)
    apart = np.abs(np.angle(np.exp(1j * (shown - wanted))))
    return bool(shown.max() <= table[-1] + 1e-5 and apart.max() <= (1.0 - turns) * np.pi + 0.03)


def _declared_short() -> bool:
    found = list(check_devices(_with_options("mock", "two_pi_level = 320")))
    return any(one.level == "warning" and "short of 2 pi" in one.message for one in found)


def _twin(given: str, index: int) -> bool:
    return choose_camera("Basler", given, TWINS) == index


def _not_installed() -> bool:
    maker_module("no_such_maker", "pip install the maker's package")
    return False


def _missing(error: Exception) -> bool:
    raise DeviceNotFoundError(
        not_loaded("maker", error, "pip install maker", "the maker's software")
    )


def _another_version() -> bool:
    functions = MakerFunctions(
        ctypes.pythonapi, "SDK of the maker", "is it of another version? Install it anew"
    )
    functions.Open()
    return False


def _slow(milliseconds: int) -> bool:
    found = one_panel(calibrated_bench_text(), milliseconds, 0)
    return not found.failed and abs(found.settle_share) <= SETTLED_SHARE
