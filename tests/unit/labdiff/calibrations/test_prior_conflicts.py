"""Priors beside the frames: a right one is no conflict however tight, a wrong one is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from labdiff.calibrations.prior_conflicts import MOST_SIGMAS, PriorConflict, conflicts, doubted
from tests.unit.twin.test_alignment_fit import BLURS_PX, GEOMETRY, misaligned
from twin.alignment_fit import FitStep, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.parameters import free_in
from twin.prior import Estimate, data_sheet_prior, load_estimates, with_estimates

PLACE, TILT, GAP = "source_centre_px[0]", "d_alpha_mirror_mrad[1]", "z_gap_percent"


def fitted_with(
    contributed: dict[str, Estimate], noise: float = 0.0
) -> tuple[DigitalTwin, FitStep]:
    """Fit frames of a bench with the beam at 1 px and the mirror at 0.8 mrad, with these priors.

    noise: standard deviation of a pixel, as a share of the mean intensity.
    """
    _, triples = misaligned()
    seen = triples.intensity
    added = torch.randn(seen.shape, generator=torch.Generator().manual_seed(1))
    triples = replace(triples, intensity=seen + noise * seen.mean() * added)
    twin = DigitalTwin(GEOMETRY)
    load_estimates(twin, contributed)
    prior = with_estimates(data_sheet_prior(twin), twin, contributed)
    *_, last = fit_alignment(twin, triples, BLURS_PX, free_in("finest"), prior)
    return twin, last


@pytest.mark.parametrize(("sigma", "noise"), [(1e-3, 0.0), (1e-3, 0.01), (2.0, 0.01)])
def test_a_right_prior_agrees_with_the_frames_however_tight(sigma: float, noise: float) -> None:
    """Without noise the misfit is that of rounding, of which frames tell nothing."""
    contributed = {PLACE: Estimate(1.0, sigma), TILT: Estimate(0.8, sigma)}
    assert doubted(*fitted_with(contributed, noise), {"own": contributed}) == set()


@pytest.mark.parametrize(("name", "wrong", "truth"), [(PLACE, 5.0, 1.0), (GAP, -4.0, 0.0)])
def test_a_wrong_tight_prior_is_doubted_and_what_the_frames_say_is_near(
    name: str, wrong: float, truth: float
) -> None:
    contributed = {name: Estimate(wrong, 1e-3)}
    twin, last = fitted_with(contributed)
    assert doubted(twin, last, {"first": {}, "second": contributed}) == {name}
    (found,) = conflicts(twin, last, {"first": {}, "second": contributed}, 0.0)
    assert (found.name, found.routines) == (name, ("second",))
    assert abs(found.frames.value - truth) < 0.5 * abs(wrong - truth), "to first order"


def test_a_wrong_prior_is_contradicted_by_a_fit_without_it() -> None:
    twin, last = fitted_with({})
    (found,) = conflicts(twin, last, {"own": {PLACE: Estimate(3.0, 1e-3)}})
    assert found.sigmas > MOST_SIGMAS and abs(found.frames.value - 1.0) < 0.1


@pytest.mark.parametrize(
    "contributed",
    [{TILT: Estimate(0.4, 1e-3)}, {PLACE: Estimate(3.0, 1.0)}],
    ids=("untold", "wide"),
)
def test_what_the_frames_cannot_tell_and_what_is_unsure_are_not_doubted(
    contributed: dict[str, Estimate],
) -> None:
    """A mirror's tilt is made up for by the tilts of the bounces: the fit is as good."""
    assert doubted(*fitted_with(contributed), {"own": contributed}) == set()


def test_a_conflict_is_stated_in_one_phrase() -> None:
    conflict = PriorConflict(GAP, ("ruler", "eye"), Estimate(5.0, 0.03), Estimate(1.0, 0.04))
    assert conflict.sigmas == pytest.approx(80.0)
    assert str(conflict) == (
        "z_gap_percent = 5 ± 0.03 by ruler and eye and 1 ± 0.04 by the frames (80 sigma)"
    )
