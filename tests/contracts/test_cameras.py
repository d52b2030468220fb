"""What every camera back end promises; a back end whose library is missing is skipped, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.absent import NONE
from drivers.errors import DeviceStateError, DeviceValueError
from drivers.protocols import Camera
from drivers.registry import CAMERAS
from drivers.types import Roi
from tests.contracts.camera_scenes import PICTURES, SCENES, MissingLibrary, Scene


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    try:
        with SCENES[request.param](tmp_path) as opened:
            yield opened
    except MissingLibrary as error:
        pytest.skip(str(error))


def test_every_registered_camera_is_here() -> None:
    assert set(CAMERAS.built_in) - {NONE} <= set(SCENES)


def test_it_is_a_camera_and_says_what_it_does(scene: Scene) -> None:
    camera = scene.camera
    assert isinstance(camera, Camera) and camera.name
    low, high = camera.exposure_range_ms
    camera.exposure_ms = float(np.clip(2.0, low, high))
    assert camera.exposure_ms == pytest.approx(np.clip(2.0, low, high), rel=0.01)
    for wrong in (0.0, 1e9):
        with pytest.raises(DeviceValueError, match="allowed is"):
            camera.exposure_ms = wrong
    timing = camera.timing
    assert camera.exposure_ms <= timing.exposed_ms == timing.total_ms - timing.readout_ms
    assert timing.period_ms >= max(camera.exposure_ms, timing.readout_ms)


def test_a_window_is_what_was_asked_for(scene: Scene) -> None:
    camera = scene.camera
    for window in (Roi(4, 8, 16, 12), Roi(3, 5, 17, 11)):
        camera.roi = window
        frame = camera.get_frame()
        assert frame.roi == camera.roi == window
        assert frame.pixels.shape == window.shape and frame.pixels.dtype == np.uint16
    for wrong in (Roi(0, 0, 100_000, 8), Roi(-1, 0, 8, 8), Roi(0, 0, 0, 8)):
        with pytest.raises(DeviceValueError, match="does not fit"):
            camera.roi = wrong
    assert camera.get_frame().roi == Roi(3, 5, 17, 11)


def test_frames_are_new_and_counted(scene: Scene) -> None:
    camera = scene.camera
    frames = camera.get_frames(3)
    frames.append(camera.expose()())
    assert np.diff([frame.sequence for frame in frames]).tolist() == [1, 1, 1]
    starts = np.array([frame.timestamp_s for frame in frames])
    assert np.all(np.diff(starts) > 0.0)
    camera.expose()  # nobody reads it out
    asked_s = camera.get_frame().timestamp_s
    assert asked_s > frames[-1].timestamp_s


def test_a_frame_shows_what_stood_when_it_was_asked_for(scene: Scene) -> None:
    order = np.random.default_rng(3).permutation(PICTURES)
    for place, number in enumerate(order):
        scene.show(int(number))
        if place % 7 == 3:
            scene.camera.expose()  # and is never read out
        assert scene.seen(scene.camera.get_frame()) == number


def test_without_a_trigger_input_a_burst_is_refused(scene: Scene) -> None:
    if not scene.camera.has_trigger_input:
        with pytest.raises(DeviceStateError, match="trigger input"):
            scene.camera.triggered(1)


def test_it_can_be_closed_twice_and_then_says_so(scene: Scene) -> None:
    scene.camera.close()
    scene.camera.close()
    with pytest.raises(DeviceStateError, match="closed"):
        scene.camera.get_frame()
