"""Where lenses are in focus, on mock benches whose distances or patches are not those of the bench file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from calibration.result import CalibrationError
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.focus_probe import FocusFound, find_focus
from labdiff.config.bench import parse_bench
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_path import LightPath
from tests.support.mock_bench import laboratory_of
from tests.unit.labdiff.training.test_resume import BENCH

EARLY = ("dark level", "coarse settling", "registration")


def further(lab: MockLaboratory) -> None:
    truth = dataclasses.replace(lab.world.truth, z_gap_mm=1.25 * lab.world.geometry.z_gap_mm)
    lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, truth)


def out_of_focus(lab: MockLaboratory) -> None:
    truth = dataclasses.replace(lab.world.truth, defocus_mm=3.0)
    lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, truth)


def in_reverse(lab: MockLaboratory) -> None:
    geometry = lab.world.geometry
    lab.world.geometry = dataclasses.replace(geometry, patch_lefts=geometry.patch_lefts[::-1])


def tilted(lab: MockLaboratory) -> None:
    tilts_rad = lab.world.truth.tilts_rad + np.array([0.0, 12e-3])
    truth = dataclasses.replace(lab.world.truth, tilts_rad=tilts_rad)
    lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, truth)


@pytest.mark.parametrize(
    ("act", "sign", "cause"),
    [
        (further, "paths in proportion", "gap"),
        (out_of_focus, "focus aside", "focus"),
        (in_reverse, "patches in reverse", "patch order"),
        (tilted, "far lenses in the dark", "tilted"),
    ],
)
def test_a_registration_that_knows_no_spots_names_why(
    act: Callable[[MockLaboratory], None], sign: str, cause: str
) -> None:
    config = parse_bench(BENCH, "small")
    calibrated = CalibratedBench(config, open_bench(config, 4))
    act(laboratory_of(calibrated.bench))
    with calibrated.bench, pytest.raises(CalibrationError, match="are in focus at") as failed:
        run(measure_routines(calibrated, EARLY))
    assert failed.value.verdict is not None
    assert sign in failed.value.verdict.signs
    assert cause in failed.value.verdict.causes


def test_on_a_right_bench_lenses_are_in_focus_where_the_bench_file_has_them() -> None:
    config = parse_bench(BENCH, "small")
    calibrated = CalibratedBench(config, open_bench(config, 5))
    with calibrated.bench as bench:
        run(measure_routines(calibrated, EARLY))
        before_ms = bench.camera.exposure_ms
        found = run(find_focus(calibrated))
        assert bench.camera.exposure_ms == before_ms
    assert found.focus_gaps == pytest.approx(found.path_gaps, rel=0.1)
    assert found.signs == ()


def test_foci_that_agree_with_no_single_fault_are_no_sign() -> None:
    path = np.array([3.0, 2.0, 1.0])
    assert FocusFound(path, np.array([3.6, 2.56, 1.03])).signs == ()
    assert FocusFound(path, np.full(3, np.nan)).signs == ("no focus",)
    assert FocusFound(path, np.array([2.2, np.nan, 1.03])).signs == ("far lenses in the dark",)
    assert FocusFound(path, np.array([np.nan, 2.0, 1.5])).signs != ("far lenses in the dark",)
    assert "nowhere" in str(FocusFound(path, np.full(3, np.nan)))
