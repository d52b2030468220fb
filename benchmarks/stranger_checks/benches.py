"""Benches that are brought up piece by piece, and those of the cases' files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.parts import Setting
from benchmarks.stranger_checks import screens_of_cases
from benchmarks.stranger_checks.case import StrangerCase, cases_folder
from drivers.operator import operated_by
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.config.bench import bench_text, parse_bench
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import Dialect, DialectLaser
from tests.contracts.peers import SlmPyServer

SHAPE, CAMERA_SHAPE = (144, 640), (256, 320)
FIRST_SLM = 'driver = "mock"\nshape = [144, 640]'
FIRST_CAMERA = 'driver = "mock"\nshape = [256, 320]'
FIRST_LASER = '[laser]\ndriver = "mock"'


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    found = [
        StrangerCase("a camera alone", _camera_alone),
        StrangerCase("an SLM alone", partial(_slm_alone, "none")),
        StrangerCase("an SLM beside a simulated camera", partial(_slm_alone, "mock")),
        StrangerCase("a laser without a line, a person", partial(_manual, True)),
        StrangerCase("a laser without a line, nobody", partial(_manual, False)),
        StrangerCase("10 bits on an output of 8", _ten_bits),
    ]
    folder = cases_folder(setting)
    if folder is None:
        return found
    if find_spec("pypylon") is None:
        setting.leave_out("benches of the cases, without pypylon")
        return found
    files = ("camera_first.toml", "slm_first.toml", "hene.toml", "eleven_bits.toml")
    found += [StrangerCase(name, partial(_of_file, folder / name)) for name in files]
    return [*found, *screens_of_cases.cases(folder)]


@contextmanager
def _bench(*changes: tuple[str, str]) -> Iterator[Bench]:
    text = bench_text("mock")[1]
    for before, after in changes:
        text = text.replace(before, after, 1)
    bench = open_bench(parse_bench(text, "bench.toml"), 0)
    try:
        yield bench
    finally:
        bench.close()


@contextmanager
def _camera() -> Iterator[tuple[str, str]]:
    """Yield the change of a bench file by which its camera plays three images."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            pixels = np.full(CAMERA_SHAPE, 1000 * (number + 1), np.uint16)
            Image.fromarray(pixels).save(Path(folder, f"{number}.png"))
        yield (
            FIRST_CAMERA,
            f"driver = \"folder\"\noptions.image_folder = '{folder}'\nshape = [256, 320]",
        )


def _camera_alone() -> bool:
    none = (FIRST_SLM, FIRST_SLM.replace("mock", "none"))
    with _camera() as camera, _bench(none, camera) as bench:
        return bench.camera.get_frame().pixels.shape == CAMERA_SHAPE


def _slm_alone(camera: str) -> bool:
    server = SlmPyServer(SHAPE)
    with server:
        slm = f'driver = "slmpy"\naddress = "127.0.0.1:{server.port}"\nshape = [144, 640]'
        without = (FIRST_CAMERA, FIRST_CAMERA.replace("mock", camera))
        with _bench((FIRST_SLM, slm), without) as bench:
            bench.show(np.full((bench.planes, *bench.layout.patch_shape), np.pi))
            return bool(server.pictures[-1].max() == 128)


def _manual(somebody: bool) -> bool:
    asked: list[str] = []

    def person(request: object) -> bool:
        asked.append(str(request))
        return True

    manual = (FIRST_LASER, FIRST_LASER.replace("mock", "manual"))
    with operated_by(person if somebody else None), _camera() as camera:
        with _bench(manual, camera) as bench:
            bench.switch_on()
            lit = bench.laser.emission
        return lit and len(asked) == 3


def _ten_bits() -> bool:
    server = SlmPyServer(SHAPE)
    with server:
        slm = f'driver = "slmpy"\naddress = "127.0.0.1:{server.port}"\nshape = [144, 640]'
        with _bench((FIRST_SLM, slm), ("bit_depth = 8 ", "bit_depth = 10 ")):
            return False


def _of_file(path: Path) -> bool:
    """Open a bench file of the cases with devices that behave: its SLM and laser, Basler's emulator."""
    text = path.read_text(encoding="utf-8")
    with ExitStack() as stack:
        stack.callback(_restored("PYLON_CAMEMU"))
        os.environ["PYLON_CAMEMU"] = "1"
        slm = SlmPyServer((64, 160))
        stack.enter_context(slm)
        laser = stack.enter_context(TcpLine(DialectLaser(Dialect()).speak))
        stack.enter_context(operated_by(lambda request: True))
        text = text.replace("127.0.0.1:9999", f"127.0.0.1:{slm.port}")
        text = text.replace("TCPIP::127.0.0.1::5025::SOCKET", laser.address)
        bench = open_bench(parse_bench(text, path.name), 0)
        stack.callback(bench.close)
        if "none" in bench.camera.name or "no camera" in bench.camera.name:
            bench.show(np.zeros((bench.planes, *bench.layout.patch_shape)))
            return len(slm.pictures) > 0
        return bench.camera.get_frame().pixels.size > 0


def _restored(name: str) -> Callable[[], None]:
    """Return what sets an environment variable back."""
    before = os.environ.get(name)

    def restore() -> None:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before

    return restore
