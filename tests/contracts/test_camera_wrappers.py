"""Cameras around a camera promise what a camera does; what only the mock can show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calibration.packing import RightJustified
from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.protocols import Camera
from drivers.types import Roi
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_camera import ReconnectingCamera
from labdiff.config.bench import RetriesConfig
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from tests.support.small_bench import small_bench

GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 160), (32, 32), 16, (10, 60, 110), 5.7, 0.2, "slm_patch",
    (96, 96), 3.45, 12, 0.6,
)  # fmt: skip


def lab() -> MockLaboratory:
    return MockLaboratory.create(GEOMETRY, seed=1)


@pytest.fixture(params=["right-justified", "recorded", "reconnecting"])
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    if request.param == "right-justified":
        yield RightJustified(lab().camera, 16)
        return
    with small_bench("slm_patch") as (laboratory, bench):
        if request.param == "reconnecting":
            context = RetryContext(RetriesConfig(), bench.clock, bench.fault_log)
            device = laboratory.camera
            yield ReconnectingCamera("camera", device, lambda: device, context)
            return
        with bench.recording(FrameLog(tmp_path / "frames")):
            yield bench.camera


def test_camera(camera: Camera) -> None:
    assert isinstance(camera, Camera)
    camera.exposure_ms = 2.0
    assert camera.exposure_ms == pytest.approx(2.0, rel=0.01)
    with pytest.raises(DeviceValueError):
        camera.exposure_ms = 1e9
    camera.roi = Roi(4, 8, 16, 12)
    frames = camera.get_frames(2)
    assert frames[0].pixels.shape == (16, 12) and frames[0].pixels.dtype == np.uint16
    assert frames[1].sequence == frames[0].sequence + 1
    timing = camera.timing
    assert 2.0 <= timing.exposed_ms == timing.total_ms - timing.readout_ms
    assert timing.period_ms >= max(2.0, timing.readout_ms)
    read = camera.expose()
    assert read().sequence == frames[1].sequence + 1
    camera.expose()  # nobody reads it out
    assert camera.get_frame().timestamp_s > frames[1].timestamp_s + 2e-3
    if not camera.has_trigger_input:
        with pytest.raises(DeviceStateError, match="trigger input"):
            camera.triggered(1)
    with pytest.raises(DeviceValueError):
        camera.roi = Roi(0, 0, 100_000, 8)
    camera.close()
    camera.close()
    with pytest.raises(DeviceStateError):
        camera.get_frame()


def test_unplugged_mock_camera_says_so() -> None:
    room = lab()
    room.camera.unplug()
    with pytest.raises(DeviceDisconnectedError):
        room.camera.get_frame()
    room.camera.plug_in()
    assert room.camera.get_frame().sequence == 1


def test_frame_before_settling_names_no_pattern() -> None:
    room = lab()
    pattern = room.slm.set_phase(np.ones(room.slm.shape))
    room.world.clock.sleep_s(room.slm.timing.latency_ms / 1e3)
    assert room.camera.get_frame().pattern_id is None
    room.world.clock.sleep_s(room.slm.timing.total_ms / 1e3)
    assert room.camera.get_frame().pattern_id == pattern
