"""Photon transfer against the mock sensor's truth."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

from calibration.camera import CameraFound, measure_camera
from calibration.step import CalibrationStep
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 220), (48, 48), 8, (8, 64, 120), 5.7, 0.3, "slm_patch", (96, 96), 3.45, 12, 0.6
)


def laboratory(
    seed: int, settings: MockSettings | None = None, emission: bool = True
) -> MockLaboratory:
    lab = MockLaboratory.create(GEOMETRY, settings, seed)
    lab.laser.emission = emission
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    return lab


def found(lab: MockLaboratory, step_counts: float = 1.0) -> CameraFound:
    routine: Generator[CalibrationStep, None, CameraFound] = measure_camera(
        lab.camera, step_counts * lab.world.truth.pedestal_counts
    )
    while True:
        try:
            next(routine)
        except StopIteration as stop:
            result: CameraFound = stop.value
            return result


@pytest.mark.parametrize("seed", range(3))
def test_gain_read_noise_and_saturation_are_the_truths(seed: int) -> None:
    lab = laboratory(seed)
    lab.camera.exposure_ms = 2.0
    camera, truth = found(lab), lab.world.truth
    assert camera.verdict.level == "pass", camera.verdict.reason
    gain = truth.electrons_per_count
    assert camera.gain_electrons == pytest.approx(gain, rel=0.02)
    assert abs(camera.gain_electrons - gain) < 4.0 * camera.gain_sigma_electrons
    assert camera.read_noise_counts == pytest.approx(truth.read_noise_electrons / gain, rel=0.05)
    assert camera.saturation_counts == 2**GEOMETRY.camera_bit_depth - 1
    assert camera.step_counts == 1.0
    assert lab.camera.exposure_ms == 2.0


def test_left_justified_counts_are_recognised() -> None:
    settings = MockSettings()
    packed = settings.camera.model_copy(update={"packing": "left"})
    lab = laboratory(0, settings.model_copy(update={"camera": packed}))
    lab.camera.exposure_ms = 2.0
    camera = found(lab, step_counts=16.0)
    assert camera.step_counts == 16.0
    assert camera.saturation_counts == 16.0 * 4095
    assert "steps of 16" in camera.verdict.reason
    assert 16.0 * camera.gain_electrons == pytest.approx(
        lab.world.truth.electrons_per_count, rel=0.02
    )


def test_a_dark_bench_fails_and_says_what_to_do() -> None:
    lab = laboratory(0, emission=False)
    camera = found(lab)
    assert camera.verdict.level == "fail"
    assert "does not saturate" in camera.verdict.reason
    assert "laser" in camera.verdict.remedy


def test_light_without_shot_noise_is_refused() -> None:
    lab = laboratory(0, MockSettings().only("camera.read_noise_electrons", "camera.pedestal"))
    lab.camera.exposure_ms = 2.0
    camera = found(lab)
    assert camera.verdict.level == "fail"
    assert "does not grow" in camera.verdict.reason
    assert np.isfinite(camera.read_noise_counts)


def test_dead_pixels_are_found_and_a_dead_row_is_worth_a_word() -> None:
    lab = laboratory(0)
    lab.world.truth.dead[:] = False
    lab.world.truth.dead[30, 40] = True
    single = found(lab)
    assert single.dead_pixels.tolist() == [[30, 40]]
    assert single.verdict.level == "pass"
    lab.world.truth.dead[50, :] = True
    row = found(lab)
    assert row.verdict.level == "warn"
    assert "pixels are dead" in row.verdict.reason
    assert "have the camera repaired" in row.verdict.remedy
    assert {50} == {place[0] for place in row.dead_pixels.tolist()} - {30}
