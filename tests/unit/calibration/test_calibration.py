"""Calibration against the truth of the mock laboratory."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.dark import DarkLevel, measure_dark
from calibration.exposure import Exposure, set_exposure
from calibration.observed_slm import ObservedSLM
from calibration.phase_response import measure_phase_response
from calibration.registration import Registration, measure_registration
from calibration.resample import Rectifier
from calibration.result import CalibrationError, Verdict
from calibration.result_file import read_result, write_result
from drivers.protocols import Laser
from drivers.types import Roi
from mock_hardware.laboratory import MockLaboratory
from tests.support.mock_bench import LAYOUT, laboratory, result_of, settle

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_dark_level_is_the_pedestal_and_the_laser_is_put_back(seed: int) -> None:
    lab = laboratory(seed)
    dark = result_of(measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s))
    # What the sensor shows in the dark is more than the pedestal: fixed pattern and dark current.
    truth = lab.world.truth
    electrons = truth.offset_pattern_electrons + truth.dark_electrons_per_s * 1e-3
    expected = truth.pedestal_counts + electrons[~truth.hot].mean() / truth.electrons_per_count
    assert abs(dark.pedestal_counts - expected) < 5 * dark.pedestal_sigma_counts
    assert lab.laser.emission
    assert dark.verdict.level == "pass"


def test_hot_pixels_are_found_and_mended_from_the_good_ones_around_them() -> None:
    lab = laboratory(1)
    dark = result_of(measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s))
    np.testing.assert_array_equal(dark.hot_pixels, np.argwhere(lab.world.truth.hot))
    assert f"{lab.world.truth.hot.sum()} hot pixels" in dark.verdict.reason
    row, column = dark.hot_pixels[0]
    roi = Roi(int(row), int(column) - 5, 8, 10)  # the hot pixel on its rim
    frames = np.tile(np.arange(10, dtype=np.float32), (2, 8, 1))
    frames[:, 0, 5] = 4000.0
    dark.mend(frames, roi)
    np.testing.assert_array_equal(frames, np.tile(np.arange(10, dtype=np.float32), (2, 8, 1)))


def exposed(lab: MockLaboratory, target: float, laser: Laser | None) -> tuple[Exposure, int]:
    """The result, and how many frames it took."""
    before = lab.camera.requests
    found = result_of(set_exposure(lab.camera, lab.world.truth.pedestal_counts, target, laser))
    return found, lab.camera.requests - before


@pytest.mark.parametrize("times", 10.0 ** np.arange(-3, 4))
def test_exposure_from_any_start_over_six_decades(times: float) -> None:
    lab = laboratory(0)
    right, _ = exposed(lab, 0.5, None)
    low, high = lab.camera.exposure_range_ms
    lab.camera.exposure_ms = float(np.clip(right.exposure_ms * times, low, high))
    lab.laser.power_mw *= right.exposure_ms * times / lab.camera.exposure_ms
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    found, frames = exposed(lab, 0.5, lab.laser)
    assert found.verdict.level == "pass", found.verdict.reason
    assert 0.5 <= found.fill <= 0.55
    assert frames <= 8


def test_power_goes_down_where_the_shortest_exposure_is_too_long_and_never_up() -> None:
    lab = laboratory(0)
    lab.laser.power_mw = 100.0
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    found, _ = exposed(lab, 0.001, None)
    assert found.verdict.level == "fail"
    assert "Lower the laser's power" in found.verdict.remedy
    lab.laser.power_mw = 1e-6
    found, _ = exposed(lab, 0.5, lab.laser)
    assert found.verdict.level == "fail"
    assert lab.laser.power_mw == 1e-6
    assert "Is the laser on?" in found.verdict.remedy
    lab.laser.power_mw = 0.0
    assert "Is the laser on?" in exposed(lab, 0.5, lab.laser)[0].verdict.remedy


@pytest.mark.parametrize("seed", SEEDS)
def test_phase_response(seed: int) -> None:
    lab = laboratory(seed)
    pedestal = lab.world.truth.pedestal_counts
    result_of(set_exposure(lab.camera, pedestal, 0.4))
    found = result_of(
        measure_phase_response(ObservedSLM(lab.slm, lab.camera, pedestal, settle(lab)), LAYOUT)
    )
    # The panel is not even; what is measured is the last patch.
    error = (
        found.phase_by_grey_rad
        - lab.world.truth.phase_by_grey_rad * lab.world.truth.stroke_map[-1].mean()
    )
    assert found.verdict.level == "pass"
    assert np.sqrt(np.mean(error**2)) <= 0.03


@pytest.mark.parametrize(("emission", "power_mw"), [(False, 10.0), (True, 0.0)])
def test_without_light_every_routine_that_needs_it_fails(emission: bool, power_mw: float) -> None:
    """Laser off; and a laser that is on, of which nothing reaches the camera."""
    lab = laboratory(0, emission=emission)
    lab.laser.power_mw = power_mw
    pedestal = lab.world.truth.pedestal_counts
    verdicts = [
        result_of(set_exposure(lab.camera, pedestal)).verdict,
        result_of(
            measure_registration(ObservedSLM(lab.slm, lab.camera, pedestal, settle(lab)), LAYOUT)
        ).verdict,
        result_of(
            measure_phase_response(ObservedSLM(lab.slm, lab.camera, pedestal, settle(lab)), LAYOUT)
        ).verdict,
    ]
    for verdict in verdicts:
        assert verdict.level == "fail"
        assert verdict.remedy
        with pytest.raises(CalibrationError):
            verdict.require("test")


def test_rectifier_reads_a_smooth_picture_at_the_right_places() -> None:
    matrix = np.array([[1.6, -0.02], [0.02, 1.6]])
    registration = Registration(matrix, np.array([40.0, 60.0]), 0.0, 0.0, Verdict("pass", ""))
    roi = Roi(20, 30, 220, 240)
    rows, columns = np.mgrid[20:240, 30:270].astype(np.float32)
    frame = np.sin(rows / 15) + np.cos(columns / 20)
    plane = Rectifier(registration, roi, (100, 100))(frame[None])[0]
    r, c = registration.plane_to_camera(
        np.mgrid[:100, :100].reshape(2, -1).T.astype(float)
    ).T.reshape(2, 100, 100)
    np.testing.assert_allclose(plane, np.sin(r / 15) + np.cos(c / 20), atol=2e-3)


def test_results_round_trip_and_a_foreign_group_is_refused(tmp_path: Path) -> None:
    lab = laboratory(0)
    dark = result_of(measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s, frames=2))
    registration = Registration(np.eye(2), np.ones(2), 0.1, 0.2, Verdict("warn", "a", "b"))
    with h5py.File(tmp_path / "calibration.h5", "w") as file:
        write_result(file.create_group("dark"), dark)
        write_result(file.create_group("registration"), registration)
        dark_again = read_result(file["dark"])
        assert isinstance(dark_again, DarkLevel)
        assert dark_again.pedestal_counts == dark.pedestal_counts
        np.testing.assert_array_equal(dark_again.hot_pixels, dark.hot_pixels)
        again = read_result(file["registration"])
        assert isinstance(again, Registration)
        np.testing.assert_array_equal(again.matrix, registration.matrix)
        assert again.verdict == registration.verdict
        with pytest.raises(CalibrationError, match="not a calibration result"):
            read_result(file.create_group("foreign"))
