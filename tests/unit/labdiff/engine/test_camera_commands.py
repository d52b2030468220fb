"""The camera by commands: exposure by one press, windows, gain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.dark import DarkLevel
from calibration.packing import RightJustified
from calibration.registration import Registration
from calibration.result import Verdict
from drivers.types import Frame, Roi
from labdiff.engine.auto_exposure import FILL, NEAR
from labdiff.engine.commands import (
    AutoExpose,
    Connect,
    SetEmission,
    SetExposure,
    SetGain,
    SetOutputRoi,
    SetPower,
    SetRoi,
)
from labdiff.engine.status import BenchState, ErrorReport, ExposureFound
from mock_hardware.camera import MockCamera
from tests.support.played_commands import Desk

LIT = (Connect("mock-small"), SetEmission(True))


@pytest.mark.parametrize("start_ms", [0.005, 2.0, 1000.0])
def test_one_press_brings_the_brightest_pixel_near_to_full_scale(start_ms: float) -> None:
    desk = Desk().play(*LIT, SetExposure(start_ms), AutoExpose())
    (found,) = desk.of(ExposureFound)
    assert abs(found.fill - FILL) <= NEAR and not found.remedy and found.frames <= 12
    assert desk.frames[-1].pixels.max() < 4095, "nothing is clipped"
    assert desk.setting("camera", "exposure")[-1] == found.exposure_ms
    states = [state for state in desk.of(BenchState) if state.devices]
    exposure = next(s for s in states[-1].devices[1].settings if s.name == "exposure")
    assert exposure.requested == found.exposure_ms, "what was found counts as asked for"


def test_where_no_exposure_does_the_nearest_is_set_and_what_helps_is_said() -> None:
    dim = Desk().play(*LIT, SetPower(1e-5), AutoExpose())
    (found,) = dim.of(ExposureFound)
    assert found.exposure_ms == 1000.0 and "raise the power" in found.remedy
    dark = Desk().play(Connect("mock-small"), AutoExpose())
    assert not dark.of(ExposureFound) and "the laser is off" in dark.of(ErrorReport)[0].message


def test_hot_pixels_do_not_decide_the_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = RightJustified.converted

    def with_hot_pixel(camera: RightJustified, frame: Frame) -> Frame:
        found = converted(camera, frame)
        pixels = found.pixels.copy()
        pixels[0, 0] = 4095
        return Frame(pixels, found.exposure_ms, 0.0, found.sequence, None, 0.0, found.roi)

    monkeypatch.setattr(RightJustified, "converted", with_hot_pixel)
    desk = Desk()

    def know_hot_pixel() -> None:
        hot = np.array([[0, 0]])
        desk.bench.dark = DarkLevel(80.0, 0.1, 2.0, Verdict("pass", ""), hot)

    desk.play(*LIT, SetRoi(Roi(0, 0, 64, 64)), know_hot_pixel, AutoExpose())
    (found,) = desk.of(ExposureFound)
    assert abs(found.fill - FILL) <= NEAR


def test_the_window_lies_around_the_output_region_once_it_is_known(tmp_path: Path) -> None:
    desk = Desk()
    known = Registration(np.eye(2), np.array([20.0, 30.0]), 0.0, 0.0, Verdict("pass", ""))

    def calibrate() -> None:
        desk.bench.registration = known

    desk.play(
        Connect("mock-small", calibrations=tmp_path), SetOutputRoi(), calibrate, SetOutputRoi()
    )
    (refused,) = desk.of(ErrorReport)
    assert "no registration is stored" in refused.message and "calibrate first" in refused.message
    roi = [state.roi for state in desk.of(BenchState) if state.devices][-1]
    assert roi is not None and (roi.top, roi.left) == (0, 6)


def test_a_camera_without_gain_says_so_and_shows_none() -> None:
    desk = Desk().play(Connect("mock-small"), SetGain(3.0))
    assert "has no gain that can be set" in desk.of(ErrorReport)[0].message
    assert desk.setting("camera", "gain") == []


def test_a_gain_is_set_through_all_that_is_around_the_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_to: list[float] = []
    monkeypatch.setattr(MockCamera, "gain_range_db", (0.0, 24.0), raising=False)
    monkeypatch.setattr(
        MockCamera,
        "gain_db",
        property(lambda camera: set_to[-1] if set_to else 0.0, lambda camera, v: set_to.append(v)),
        raising=False,
    )
    desk = Desk().play(Connect("mock-small"), SetGain(6.0), SetGain(30.0))
    assert set_to == [6.0] and desk.setting("camera", "gain")[-1] == 6.0
    (refused,) = desk.of(ErrorReport)
    assert "gain 30 dB; allowed is 0 ... 24 dB" in refused.message


def test_the_state_says_where_the_patches_lie() -> None:
    state = next(s for s in Desk().play(Connect("mock")).of(BenchState) if s.devices)
    assert state.patches[0] == Roi(22, 20, 100, 100) and len(state.patches) == 5
    assert state.input_patch and state.roi == Roi(0, 0, 256, 320)
    paper = next(s for s in Desk().play(Connect("mock-paper")).of(BenchState) if s.devices)
    assert not paper.input_patch
