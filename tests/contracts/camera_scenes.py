"""Every camera back end in front of something whose picture can be changed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.protocols import Camera
from drivers.types import Frame, Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_folder import LightFolder
from mock_hardware.settings import MockSettings

PICTURES = 20
"""A scene can show so many, numbered from 0."""
WINDOW = Roi(0, 0, 32, 32)


class MissingLibrary(Exception):
    """What a back end needs and is not installed, in words."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera, what changes the picture before it, and which picture a frame shows; -1: none of them."""

    camera: Camera
    show: Callable[[int], object]
    seen: Callable[[Frame], int]


Opener = Callable[[Path], AbstractContextManager[Scene]]


def need(module: str, install: str) -> None:
    """Raises MissingLibrary."""
    if importlib.util.find_spec(module) is None:
        raise MissingLibrary(f"{module} is not installed: {install}")


def nearest(levels: npt.ArrayLike, tolerance: float) -> Callable[[Frame], int]:
    """Which of these levels the frame's mean is, within a tolerance."""
    known = np.asarray(levels, float)

    def seen(frame: Frame) -> int:
        off = np.abs(known - float(frame.pixels.mean()))
        return int(off.argmin()) if off.min() <= tolerance else -1

    return seen


@contextmanager
def mock(folder: Path) -> Iterator[Scene]:
    """The laboratory without imperfections; pictures are patterns on its SLM."""
    geometry = MockGeometry(
        850.0, 9.2, (24, 60), (16, 16), 4, (2, 22, 42), 2.0, 0.1, "slm_patch",
        (64, 64), 3.45, 12, 0.4,
    )  # fmt: skip
    lab = MockLaboratory.create(geometry, MockSettings(threads=1).off(), 0)
    shown: dict[int, int] = {}

    def show(number: int) -> None:
        shown[lab.slm.set_phase(np.full(lab.slm.shape, 0.3 * number))] = number
        lab.world.clock.sleep_s(lab.slm.timing.total_ms / 1e3)

    with lab.world.workers:
        yield Scene(lab.camera, show, lambda frame: shown.get(frame.pattern_id or 0, -1))


@contextmanager
def basler(folder: Path) -> Iterator[Scene]:
    """Basler's emulator; pictures are images in its folder."""
    need("pypylon", "pip install pypylon")
    os.environ["PYLON_CAMEMU"] = "2"
    from drivers.camera.basler import BaslerCamera, BaslerOptions

    light = LightFolder(folder / "played", (64, 64))
    options = BaslerOptions(image_folder=str(folder / "played"))
    camera = BaslerCamera("0815-0000", 16, options)
    camera.roi = WINDOW
    yield Scene(camera, _in_folder(light), nearest(3000 * np.arange(PICTURES), 0))
    camera.close()


@contextmanager
def folder_of_images(folder: Path) -> Iterator[Scene]:
    """The driver of docs/new-driver.md."""
    from drivers.camera.folder import FolderCamera, FolderOptions

    light = LightFolder(folder / "played", (64, 64))
    camera = FolderCamera(16, FolderOptions(str(folder / "played")))
    camera.roi = WINDOW
    yield Scene(camera, _in_folder(light), nearest(3000 * np.arange(PICTURES), 0))
    camera.close()


def _in_folder(light: LightFolder) -> Callable[[int], None]:
    def show(number: int) -> None:
        light.show(np.full(WINDOW.shape, 3000 * number, np.uint16), WINDOW)

    return show


@contextmanager
def genicam(folder: Path) -> Iterator[Scene]:
    """The GenTL producer of the genicam wheel; pictures are sizes of its bouncing ball."""
    need("harvesters", "pip install 'labdiff[genicam]'")
    import genicam as wheel

    from drivers.camera.genicam import GenicamCamera, GenicamOptions

    producer = str(Path(wheel.__file__).parent / "viky.cti")
    camera = GenicamCamera("1", 8, GenicamOptions(producer=producer, timeout_ms=2000))
    settings = camera._features
    settings.write(200.0, "AcquisitionFrameRate")
    camera._settings.note_timing()

    def show(number: int) -> None:
        settings.write(2 * number + 1, "BouncingBallSize")

    def seen(frame: Frame) -> int:
        background = np.bincount(frame.pixels.ravel()).argmax()
        side = np.sqrt(np.count_nonzero(frame.pixels != background))
        return int(side) // 2 if side % 2 == 1 else -1

    yield Scene(camera, show, seen)
    camera.close()


@contextmanager
def micromanager(folder: Path) -> Iterator[Scene]:
    """Micro-Manager's core with its DemoCamera; pictures are fluxes of photons."""
    need("pymmcore", "pip install 'labdiff[micromanager]'")
    need("mm_test_adapters", "pip install mm-test-adapters")
    import mm_test_adapters

    from drivers.camera.micromanager import MicroManagerCamera, MicroManagerOptions

    options = MicroManagerOptions(
        adapter="DemoCamera",
        device="DCam",
        folder=mm_test_adapters.device_adapter_path(),
        properties=("PixelType=16bit", "BitDepth=12", "Mode=Noise"),
    )
    camera = MicroManagerCamera("", 12, options)
    camera.exposure_ms, camera.roi = 1.0, WINDOW

    def show(number: int) -> None:
        camera._core.setProperty(camera._label, "Photon Flux", 20 * number + 10)

    yield Scene(camera, show, nearest(99 + 20 * np.arange(PICTURES) + 10, 5.0))
    camera.close()


@contextmanager
def webcam(folder: Path) -> Iterator[Scene]:
    """OpenCV on a live stream; pictures are its grey levels."""
    need("cv2", "pip install 'labdiff[webcam]'")
    from drivers.camera.webcam import Webcam, WebcamOptions
    from tests.contracts.live_stream import LiveStream

    with LiveStream() as stream:
        camera = Webcam(stream.address, 8, WebcamOptions(frames_on_the_way=6))
        yield Scene(camera, stream.show, nearest(10 * np.arange(PICTURES), 3.0))
        camera.close()


SCENES: dict[str, Opener] = {
    "mock": mock,
    "basler": basler,
    "genicam": genicam,
    "micromanager": micromanager,
    "webcam": webcam,
    "folder": folder_of_images,
}
"""One line a back end."""
