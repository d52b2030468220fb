"""Routines end as soon as their result is good enough, and promise no frame that is not taken."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest

from calibration.camera import FRAMES, ROUNDS, SHARES, CameraFound, measure_camera
from calibration.dark import FEWEST, measure_dark
from calibration.dark import FRAMES as DARK_FRAMES
from calibration.exposure import set_exposure
from calibration.observed_slm import ObservedSLM
from calibration.phase_response import PhaseResponse, measure_phase_response
from calibration.step import CalibrationStep
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from tests.support.mock_bench import LAYOUT, laboratory, result_of, settle

T = TypeVar("T")
QUARTER, ALL = 2 * 16, 2 * 61
"""Frames of a phase response with every fourth level, and with all of them."""


def watched(
    lab: MockLaboratory, routine: Generator[CalibrationStep, None, T]
) -> tuple[T, list[CalibrationStep], int]:
    """Return the result, what was said on the way, and how many frames it took."""
    before, steps = lab.camera.requests, []
    while True:
        try:
            steps.append(next(routine))
        except StopIteration as stop:
            result: T = stop.value
            return result, steps, lab.camera.requests - before


def require_planned_steps(steps: list[CalibrationStep]) -> None:
    """The last step is the last one that was planned, and a plan only grows once it is carried out."""
    assert steps[-1].index == steps[-1].total - 1
    for step, following in pairwise(steps):
        assert following.index > step.index
        if following.total != step.total:
            assert following.total > step.total
            assert step.index == step.total - 1


def response(
    lab: MockLaboratory, thorough: bool = False
) -> tuple[PhaseResponse, list[CalibrationStep], int]:
    pedestal = lab.world.truth.pedestal_counts
    result_of(set_exposure(lab.camera, pedestal, 0.4))
    bench = ObservedSLM(lab.slm, lab.camera, pedestal, settle(lab))
    return watched(lab, measure_phase_response(bench, LAYOUT, thorough=thorough))


def camera(
    lab: MockLaboratory, thorough: bool = False
) -> tuple[CameraFound, list[CalibrationStep], int]:
    lab.camera.exposure_ms = 2.0
    pedestal = lab.world.truth.pedestal_counts
    return watched(lab, measure_camera(lab.camera, pedestal, thorough=thorough))


def dark(
    lab: MockLaboratory, fewest: int | None = FEWEST
) -> tuple[float, list[CalibrationStep], int]:
    routine = measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s, fewest=fewest)
    found, steps, frames = watched(lab, routine)
    return float(len(found.hot_pixels)), steps, frames


def test_a_dark_level_in_order_ends_with_the_fewest_frames() -> None:
    lab = laboratory(1)
    hot, steps, frames = dark(lab)
    assert frames == FEWEST + FEWEST // 2 + 1
    assert hot == lab.world.truth.hot.sum()
    require_planned_steps(steps)


def test_counts_without_light_are_decided_by_all_frames() -> None:
    settings = MockSettings()
    settings = settings.model_copy(
        update={"camera": settings.camera.model_copy(update={"pedestal": 0.35})}
    )
    _, steps, frames = dark(laboratory(0, settings))
    assert frames >= DARK_FRAMES + DARK_FRAMES // 2
    require_planned_steps(steps)


def test_all_dark_frames_are_taken_where_they_are_asked_for() -> None:
    _, steps, frames = dark(laboratory(0), fewest=None)
    assert frames == DARK_FRAMES + DARK_FRAMES // 2 + 1
    require_planned_steps(steps)


def test_a_smooth_response_ends_with_every_fourth_level() -> None:
    lab = laboratory(0)
    found, steps, frames = response(lab)
    assert found.verdict.level == "pass"
    assert frames == QUARTER
    require_planned_steps(steps)


def test_a_response_that_falls_is_decided_by_all_levels() -> None:
    lab = laboratory(0)
    world = lab.world
    phase = world.truth.phase_by_grey_rad.copy()
    top = 2 * len(phase) // 3
    phase[top:] = 2.0 * phase[top] - phase[top:]
    world.truth = replace(world.truth, phase_by_grey_rad=phase)
    world.light_path = LightPath(world.geometry, world.settings, world.truth)
    found, steps, frames = response(lab)
    assert found.verdict.level == "fail"
    assert "response falls" in found.verdict.signs
    assert frames == ALL
    require_planned_steps(steps)


def test_a_response_in_unsteady_light_is_decided_by_all_levels() -> None:
    settings = MockSettings()
    drift = settings.drift.model_copy(update={"power": 0.1, "laser_minutes": 0.05})
    found, _, frames = response(laboratory(0, settings.model_copy(update={"drift": drift})))
    assert found.brightness_scatter > 0.005
    assert frames == ALL


def test_all_levels_are_measured_where_they_are_asked_for() -> None:
    _, steps, frames = response(laboratory(0), thorough=True)
    assert frames == ALL
    require_planned_steps(steps)


def test_a_camera_in_order_ends_with_the_first_round() -> None:
    found, steps, frames = camera(laboratory(0))
    shares, each = ROUNDS[0]
    assert found.verdict.level == "pass"
    assert frames == 1 + each * len(shares)
    require_planned_steps(steps)


def test_a_camera_whose_noise_is_not_of_photons_is_decided_by_all_frames() -> None:
    settings = MockSettings()
    drift = settings.drift.model_copy(update={"ripple": 0.1})
    _, steps, frames = camera(laboratory(0, settings.model_copy(update={"drift": drift})))
    assert frames == 1 + FRAMES * len(SHARES)
    require_planned_steps(steps)


def test_all_exposures_are_taken_where_they_are_asked_for() -> None:
    _, _, frames = camera(laboratory(0), thorough=True)
    assert frames == 1 + FRAMES * len(SHARES)


def test_frames_that_were_taken_before_are_not_taken_again() -> None:
    lab = laboratory(0)
    lab.camera.exposure_ms = 2.0
    taken = [lab.camera.get_frame() for _ in range(2)]
    pedestal = lab.world.truth.pedestal_counts
    found, steps, frames = watched(lab, measure_camera(lab.camera, pedestal, taken=taken))
    shares, each = ROUNDS[0]
    assert frames == 1 + each * len(shares) - len(taken)
    assert found.gain_electrons == pytest.approx(lab.world.truth.electrons_per_count, rel=0.03)
    require_planned_steps(steps)


def test_stated_deviations_stay_honest_with_few_frames() -> None:
    """Two deviations hold nine tenths of the errors at least, and are no wider than need be."""
    off = []
    for seed in range(8):
        lab = laboratory(seed)
        truth = lab.world.truth
        found, _, frames = camera(lab)
        assert frames < 1 + FRAMES * len(SHARES)
        gain = truth.electrons_per_count
        off.append((found.gain_electrons - gain) / found.gain_sigma_electrons)
        read = truth.read_noise_electrons / gain
        off.append((found.read_noise_counts - read) / found.read_noise_sigma_counts)
    assert np.mean(np.abs(off) <= 2.0) >= 0.9
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.5
