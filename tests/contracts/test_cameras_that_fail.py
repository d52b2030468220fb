"""What goes wrong with cameras, through the makers' own libraries: the documented exception, in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.settings import CameraSettings
from drivers.types import Roi
from labdiff.bench.clock import SystemClock
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_camera import ReconnectingCamera
from labdiff.config.bench import RetriesConfig
from tests.contracts.camera_scenes import SCENES, MissingLibrary
from tests.contracts.peers import Peer


@pytest.fixture
def open_scene(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def enter(name: str) -> Any:
            try:
                return stack.enter_context(SCENES[name](tmp_path / name))
            except MissingLibrary as error:
                pytest.skip(str(error))

        yield enter


class Silent(Peer):
    """Takes a connection and says nothing."""

    def serve(self, connection: socket.socket) -> None:
        while connection.recv(4096):
            pass


def basler_options(**given: Any) -> Any:
    pytest.importorskip("pypylon", reason="pypylon is not installed")
    from drivers.camera.basler import BaslerOptions

    return BaslerOptions(**given)


def basler(monkeypatch: pytest.MonkeyPatch, bit_depth: int = 12, **given: Any) -> Any:
    options = basler_options(**given)
    monkeypatch.setenv("PYLON_CAMEMU", "2")
    from drivers.camera.basler import BaslerCamera

    camera = BaslerCamera("0815-0001", bit_depth, options)
    camera.roi = Roi(0, 0, 32, 32)
    return camera


def test_a_failed_buffer_is_a_time_out_and_the_next_frame_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = basler(monkeypatch)
    first = camera.get_frame()
    camera._camera.ForceFailedBufferCount.Value = 1
    camera._camera.ForceFailedBuffer.Execute()
    with pytest.raises(DeviceTimeoutError, match="incompletely grabbed"):
        camera.get_frame()
    assert camera.get_frame().sequence == first.sequence + 1
    camera.close()


def test_a_basler_camera_that_was_unplugged_comes_back_as_it_was_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault_log = FaultLog()
    policy = RetriesConfig(first_wait_ms=0.0, reconnect_wait_ms=0.0)
    lasting: Any = ReconnectingCamera(
        "camera",
        basler(monkeypatch),
        lambda: basler(monkeypatch),
        RetryContext(policy, SystemClock(), fault_log),
    )
    lasting.exposure_ms, lasting.roi = 3.0, Roi(4, 8, 20, 12)
    before = lasting.get_frame()
    lasting._device._camera.FirePnPCallback.Execute()
    with pytest.raises(DeviceDisconnectedError, match="removed"):
        lasting._device.get_frame()
    after = lasting.get_frame()
    assert after.pixels.shape == (20, 12) and after.exposure_ms == 3.0
    assert lasting._device.exposure_ms == 3.0 and lasting._device.roi == Roi(4, 8, 20, 12)
    assert after.sequence > before.sequence and fault_log.reopened == 1
    lasting._device._camera.FirePnPCallback.Execute()
    lasting.exposure_ms = 4.0
    assert lasting._device.exposure_ms == 4.0 and fault_log.reopened == 2
    lasting.close()


def test_a_trigger_line_on_which_nothing_comes_ends_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = basler(monkeypatch, trigger_line="Line1", timeout_ms=150)
    assert camera.has_trigger_input
    before = camera.get_frame()
    with camera.triggered(4) as read:
        assert camera._camera.TriggerSource.Value == "Line1"
        started_s = time.monotonic()
        with pytest.raises(DeviceTimeoutError, match="no frame within"):
            read()
        assert time.monotonic() - started_s < 5.0
    assert camera._camera.TriggerSource.Value == "Software"
    assert camera.get_frame().sequence == before.sequence + 1
    camera.close()


@pytest.mark.parametrize(
    ("bit_depth", "options", "words"),
    [
        (14, {}, "bit_depth = 14.*Mono16, Mono12"),
        (12, {"pixel_format": "Mono12p"}, "'Mono12p'; it has"),
        (12, {"pixel_format": "Mono8"}, "bit_depth = 12 Mono8"),
        (12, {"binning": 8}, "BinningHorizontal goes to 4"),
        (12, {"trigger_line": "Line9"}, "'Line9'; it has Software, Line1"),
        (12, {"image_folder": "nowhere"}, "image"),
    ],
)
def test_what_a_basler_camera_cannot_is_said_and_it_is_let_go(
    monkeypatch: pytest.MonkeyPatch, bit_depth: int, options: dict[str, Any], words: str
) -> None:
    with pytest.raises((DeviceValueError, DeviceTimeoutError), match=words):
        camera = basler(monkeypatch, bit_depth, **options)
        camera.get_frame()
    basler(monkeypatch).close()


@pytest.mark.parametrize("bit_depth", [8, 10, 12, 16])
def test_a_basler_camera_counts_in_the_bits_of_the_bench_file(
    monkeypatch: pytest.MonkeyPatch, bit_depth: int
) -> None:
    camera = basler(monkeypatch, bit_depth, binning=2)
    pixels = camera.get_frame().pixels
    assert camera.bit_depth == bit_depth and 0 < pixels.max() < 2**bit_depth
    assert camera._camera.BinningVertical.Value == 2
    camera.close()


@pytest.mark.parametrize("name", ["basler", "genicam", "micromanager", "webcam"])
def test_an_unknown_camera_is_not_found_and_the_others_are_named(
    name: str, open_scene: Any
) -> None:
    scene = open_scene(name)
    options = scene.camera._options
    wanted: dict[str, tuple[str, str]] = {
        "basler": ("nope", "there are: #1 0815-0000"),
        "genicam": ("nope", "nope: not found; cameras there are: .*asked were viky.cti"),
        "micromanager": ("cam", "adapter and device.*DemoCamera"),
        "webcam": ("file:nowhere.avi", "not found"),
    }
    serial, words = wanted[name]
    if name == "micromanager":
        options = type(options)(folder=options.folder)
    with pytest.raises(DeviceNotFoundError, match=words):
        type(scene.camera).from_settings(CameraSettings(serial, scene.camera.bit_depth, options))
    assert scene.camera.get_frame().pixels.size


def test_a_genicam_camera_that_somebody_has_is_not_found(open_scene: Any) -> None:
    scene = open_scene("genicam")
    with pytest.raises(DeviceNotFoundError, match="another program has them"):
        type(scene.camera)("1", 8, scene.camera._options)


def test_without_a_producer_it_is_said_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from drivers.camera.genicam import producers

    monkeypatch.setenv("GENICAM_GENTL64_PATH", str(tmp_path))
    with pytest.raises(DeviceNotFoundError, match="Spinnaker.*" + tmp_path.name):
        producers()
    (tmp_path / "a.cti").touch()
    assert producers() == [tmp_path / "a.cti"]
    with pytest.raises(DeviceNotFoundError, match=r"b\.cti: no such file"):
        producers("b.cti")


def test_micro_managers_camera_that_has_gone_says_so(open_scene: Any) -> None:
    camera = open_scene("micromanager").camera
    camera._core.unloadDevice(camera._label)
    with pytest.raises(DeviceDisconnectedError):
        camera.get_frame()
    with pytest.raises(DeviceDisconnectedError):
        camera.exposure_ms = 3.0


@pytest.mark.parametrize(
    ("bit_depth", "properties", "words"),
    [(8, ("BitDepth=12",), "counts in 12|8"), (12, ("Foo=1",), "Invalid property name.*Foo")],
)
def test_what_micro_managers_camera_cannot_is_said(
    open_scene: Any, bit_depth: int, properties: tuple[str, ...], words: str
) -> None:
    good = open_scene("micromanager").camera
    options = type(good._options)("DemoCamera", "DCam", "", good._options.folder, properties)
    with pytest.raises(DeviceValueError, match=words):
        type(good)("", bit_depth, options)


def test_a_stream_that_says_nothing_ends_in_time() -> None:
    pytest.importorskip("cv2", reason="opencv is not installed")
    from drivers.camera.webcam import Webcam, WebcamOptions

    with Silent() as peer:
        started_s = time.monotonic()
        with pytest.raises(DeviceTimeoutError, match="no frame within 300 ms"):
            Webcam(f"http://127.0.0.1:{peer.port}/a.mjpg", 8, WebcamOptions(timeout_ms=300))
        assert time.monotonic() - started_s < 5.0


def test_a_film_that_ends_is_a_camera_that_has_gone(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    from drivers.camera.webcam import Webcam, WebcamOptions

    film = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(film, cv2.VideoWriter_fourcc(*"FFV1"), 30, (64, 48))
    for level in range(30):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    camera = Webcam(film, 8, WebcamOptions())
    with pytest.raises(DeviceDisconnectedError, match="no more frames"):
        camera.get_frames(30)
    camera.close()
    with pytest.raises(DeviceValueError, match="a webcam has 8"):
        Webcam(film, 12, WebcamOptions())
