"""A bench of real drivers that programs in other processes open: laser, SLM and camera on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from drivers.slm.slmpy_server import SlmPyServer
from labdiff.config.bench import bench_text
from tests.support.laser_server import LaserServer

PATTERN_S = 1.0
"""Time that the SLM takes for a pattern: a calibration takes long enough to be ended in its middle."""
PANEL, SENSOR = (144, 640), (256, 320)


@dataclass(slots=True)
class LitBench:
    """laser: writes down its orders. file: the bench file. flat: what the SLM shows is."""

    laser: LaserServer
    file: Path
    flat: bool = True

    def wait_until_lit(self, times: int, limit_s: float) -> bool:
        """Wait until the laser is on, for the `times`-th time; False if it does not come to that."""
        ends_s = time.monotonic() + limit_s
        while time.monotonic() < ends_s:
            if self.laser.on and self.laser.lit >= times:
                return True
            time.sleep(0.02)
        return False

    def wait_until_dark(self, limit_s: float) -> bool:
        """Wait until the laser is off; False if it stays on."""
        ends_s = time.monotonic() + limit_s
        while self.laser.on and time.monotonic() < ends_s:
            time.sleep(0.005)
        return not self.laser.on


@contextmanager
def lit_bench(folder: Path) -> Iterator[LitBench]:
    """Serve the devices of a bench, and write its bench file into a folder."""
    light = folder / "light"
    light.mkdir(parents=True)
    _illuminate(light, False)
    laser = LaserServer(on_switch=lambda on: _illuminate(light, on))
    stopped = threading.Event()
    bench = LitBench(laser, folder / "bench.toml")

    def show(grey: np.ndarray) -> None:
        bench.flat = bool(grey.min() == grey.max())
        stopped.wait(PATTERN_S)

    slm = SlmPyServer(show, PANEL, port=0)
    serving = threading.Thread(target=slm.serve, args=(stopped.is_set,), daemon=True)
    serving.start()
    try:
        bench.file.write_text(_text(slm.port, light, laser.address), encoding="utf-8")
        yield bench
    finally:
        stopped.set()
        serving.join(10.0)
        slm.close()
        laser.manner = "mute"
        laser.close()


def _text(slm_port: int, light: Path, laser: str) -> str:
    """Return the shipped mock bench with real drivers in place of the mock ones."""
    drivers = {
        "slm": f'driver = "slmpy"\naddress = "127.0.0.1:{slm_port}"',
        "camera": f'driver = "folder"\noptions.image_folder = "{light.as_posix()}"',
        "laser": f'driver = "scpi"\naddress = "{laser}"',
    }
    text = bench_text("mock")[1].split("# How the simulation")[0]
    for kind, lines in drivers.items():
        before = f'[{kind}]\ndriver = "mock"'
        if before not in text:
            raise ValueError(f"the shipped bench has no {before!r} any more")
        text = text.replace(before, f"[{kind}]\n{lines}")
    return text


def _illuminate(folder: Path, on: bool) -> None:
    """Write what the camera sees: a beam with fringes, or the dark level."""
    rows, columns = np.mgrid[: SENSOR[0], : SENSOR[1]]
    beam = np.exp(-((rows - 128) ** 2 + (columns - 160) ** 2) / 3200.0)
    counts = 60 + (1500 * beam * (1 + 0.3 * np.sin(columns / 3)) if on else 0 * beam)
    noise = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        pixels = (counts + noise.integers(0, 6, SENSOR)).astype(np.uint16)
        working = folder.parent / f"{name}.part"
        Image.fromarray(pixels).save(working, format="PNG")
        working.replace(folder / name)
