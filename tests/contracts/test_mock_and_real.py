"""What every backend of a device promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.packing import RightJustified
from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.modulator.slm_patch import SlmPatch
from drivers.protocols import SLM, Camera, InputModulator, SequenceModulator
from drivers.slm.screen import Screen
from drivers.slm.slmpy import SlmPy
from drivers.types import Roi
from labdiff.frame_log import FrameLog
from labdiff.replay import Replay
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.peers import SlmPyServer
from tests.contracts.screens import offscreen
from tests.unit.small_bench import small_bench

GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 160), (32, 32), 16, (10, 60, 110), 5.7, 0.2, "slm_patch",
    (96, 96), 3.45, 12, 0.6,
)  # fmt: skip


def lab() -> MockLaboratory:
    return MockLaboratory.create(GEOMETRY, seed=1)


@pytest.fixture(params=["mock", "slmpy", "screen"])
def slm(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[SLM]:
    if request.param == "mock":
        yield lab().slm
        return
    if request.param == "screen":
        with offscreen(tmp_path, (64, 160), monkeypatch):
            screen = Screen.from_settings((64, 160), 9.2, "panel")
            yield screen
            screen.close()
        return
    with SlmPyServer((64, 160)) as server:
        found = SlmPy.from_settings((64, 160), 9.2, f"127.0.0.1:{server.port}")
        yield found
        found.close()


@pytest.fixture(params=["mock", "basler", "right-justified", "replayed"])
def camera(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Camera]:
    if request.param == "mock":
        yield lab().camera
        return
    if request.param == "right-justified":
        yield RightJustified(lab().camera, 16)
        return
    if request.param == "replayed":
        with small_bench("slm_patch") as (_, bench):
            Replay(bench, FrameLog(tmp_path / "frames")).begin()
            yield bench.camera
        return
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    from drivers.camera.basler import BaslerCamera

    found = BaslerCamera()
    yield found
    found.close()


def test_slm(slm: SLM) -> None:
    assert isinstance(slm, SLM)
    first = slm.set_phase(np.full(slm.shape, 20.0))
    assert slm.shown in (None, 0), "what was sent is not what is shown"
    assert slm.set_grey(np.zeros(slm.shape)) == first + 1
    for wrong in (np.zeros((3, 3)), np.full(slm.shape, np.nan)):
        with pytest.raises(DeviceValueError):
            slm.set_phase(wrong)
    with pytest.raises(DeviceValueError):
        slm.set_grey(np.full(slm.shape, 256.0))
    slm.close()
    slm.close()
    with pytest.raises(DeviceStateError):
        slm.set_phase(np.zeros(slm.shape))


def test_input_patch(slm: SLM) -> None:
    patch = SlmPatch(slm, 16, 10, (32, 32))
    assert isinstance(patch, InputModulator)
    assert patch.show(np.ones((32, 32))) + 1 == patch.show(np.ones((32, 32)))
    with pytest.raises(DeviceValueError):
        patch.show(np.ones((31, 32)))


def test_dmd() -> None:
    dmd = MockLaboratory.create(replace(GEOMETRY, input_kind="dmd"), seed=1).dmd
    assert isinstance(dmd, SequenceModulator)
    first = dmd.show(np.ones(dmd.shape))
    period_ms = 2.0 * dmd.timing.total_ms
    assert dmd.show_sequence(np.ones((2, *dmd.shape)), period_ms) == [first + 1, first + 2]
    with pytest.raises(DeviceValueError):
        dmd.show_sequence(np.ones((2, *dmd.shape)), 0.5 * dmd.timing.total_ms)
    dmd.close()
    with pytest.raises(DeviceStateError):
        dmd.show_sequence(np.ones((2, *dmd.shape)), period_ms)


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
    room.clock.sleep_s(room.slm.timing.latency_ms / 1e3)
    assert room.camera.get_frame().pattern_id is None
    room.clock.sleep_s(room.slm.timing.total_ms / 1e3)
    assert room.camera.get_frame().pattern_id == pattern
