"""An alignment ends with few frames where nothing is wrong, and is whole where something is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.alignment_found import AlignmentFound
from labdiff.bench.open import open_bench
from labdiff.calibrations.alignment_search import HELD_OUT_FRAMES, STAGES
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.twin_alignment import ALIGNMENT
from labdiff.config.bench import CalibrationConfig, parse_bench
from labdiff.events import AlignmentStep
from labdiff.session.calibrated_bench import CalibratedBench
from mock_hardware.light_path import LightPath
from tests.support.mock_bench import laboratory_of
from tests.unit.labdiff.training.test_resume import BENCH

WHOLE = sum(stage.frames for stage in STAGES) + HELD_OUT_FRAMES
"""Probes of a whole search."""


def aligned(
    calibrated: CalibratedBench, moved_after: int = 0
) -> tuple[AlignmentFound, int, list[AlignmentStep]]:
    """Return what an alignment finds, its frames, and its steps; the camera may move on the way."""
    lab = laboratory_of(calibrated.bench)
    with calibrated.bench:
        for _ in measure_routines(
            calibrated,
            ("dark level", "coarse settling", "registration", "exposure", "phase response"),
        ):
            pass
        before, steps = lab.camera.requests, []
        job = ALIGNMENT.measure(calibrated)
        while True:
            try:
                event = next(job)
            except StopIteration as stop:
                found: AlignmentFound = stop.value
                break
            if isinstance(event, AlignmentStep):
                steps.append(event)
                if len(steps) == moved_after:
                    world = lab.world
                    offset = world.truth.camera_offset_px + 4.0
                    world.truth = replace(world.truth, camera_offset_px=offset)
                    world.light_path = LightPath(world.geometry, world.settings, world.truth)
        return found, lab.camera.requests - before, steps


def opened(thorough: bool = False) -> CalibratedBench:
    config = parse_bench(BENCH, "small").model_copy(
        update={"calibration": CalibrationConfig(thorough=thorough)}
    )
    return CalibratedBench(config, open_bench(config, 3))


def test_few_frames_do_on_a_bench_that_is_in_order() -> None:
    calibrated = opened()
    found, frames, steps = aligned(calibrated)
    assert found.verdict.level == "pass"
    assert frames < 40
    truth = laboratory_of(calibrated.bench).world
    away = (
        found.tilt_mrad[1:-1] - 1e3 * (truth.truth.tilts_rad + truth.drift.at(0.0).mirror_rad)[1:-1]
    )
    assert np.abs(away).max() < 4.0 * found.tilt_sigma_mrad[1:-1].max()
    # What is shown of the progress comes to its end.
    assert [step.step for step in steps] == list(range(len(steps)))
    assert steps[-1].step == steps[-1].total - 1


def test_all_frames_are_taken_where_they_are_asked_for() -> None:
    found, frames, _ = aligned(opened(thorough=True))
    assert found.verdict.level == "pass"
    assert frames > WHOLE


@pytest.mark.slow
def test_a_camera_that_moves_is_found_by_a_whole_search() -> None:
    found, frames, _ = aligned(opened(), moved_after=7)
    assert frames > WHOLE
    assert found.verdict.level != "pass"
    assert "frames after a moment" in found.verdict.signs
