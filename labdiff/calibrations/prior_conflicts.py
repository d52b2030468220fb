"""Whether what routines have measured of the twin agrees with the frames that the alignment has taken.

A tight prior that is wrong holds its parameter, and the others bend to make up for it: the fit looks well
enough, or fails without a word of the cause. So each prior is compared with where all else would have its
parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from twin.alignment_fit import FitStep
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import value_names
from twin.prior import Estimate

DOUBTED_SIGMAS = 3.0
"""Pull from which a prior is doubted after a fit that had it."""
DOUBTED_SHARE = 0.1
"""Share of the misfit, that would vanish without it, from which a prior is doubted: what a wrong one bends
makes the frames look unsure, and its pull small."""
MOST_SIGMAS = 4.0
"""Pull from which a prior is contradicted by a fit that did not have it."""


@dataclass(frozen=True, slots=True)
class PriorConflict:
    """A prior that disagrees with the frames.

    name: of the value. routines: that have contributed it. prior: what they say. frames: what the frames
    say without it.
    """

    name: str
    routines: tuple[str, ...]
    prior: Estimate
    frames: Estimate

    @property
    def sigmas(self) -> float:
        """Distance between the two, in standard deviations of their difference."""
        sigma = math.hypot(self.prior.sigma, self.frames.sigma)
        return abs(self.prior.value - self.frames.value) / max(sigma, 1e-12)

    def __str__(self) -> str:
        """Return the conflict in words, with units as in the value's name."""
        return (
            f"{self.name} = {_figures(self.prior)} by {' and '.join(self.routines)} and "
            f"{_figures(self.frames)} by the frames ({self.sigmas:.0f} sigma)"
        )


def conflicts(
    twin: DigitalTwin,
    fit: FitStep,
    contributions: Mapping[str, Mapping[str, Estimate]],
    most_sigmas: float = MOST_SIGMAS,
) -> list[PriorConflict]:
    """Return the contributed priors from which the frames differ.

    Args:
        twin: whose parameters were fitted.
        fit: the last step of the fit, with these priors or without them.
        contributions: by routine, then by the name of the value.
        most_sigmas: pull up to which a prior agrees.
    """
    names = value_names(twin)
    found = []
    for name in sorted({name for values in contributions.values() for name in values}):
        routines = tuple(routine for routine, values in contributions.items() if name in values)
        index = names.index(name)
        sigma = float(fit.released_sigma[index])
        if sigma <= 0.0:
            continue  # it was not fitted, and the frames say nothing of it
        frames = Estimate(float(fit.released[index]), sigma)
        # The tightest one leads where several routines have measured a value.
        prior = min((contributions[r][name] for r in routines), key=lambda each: each.sigma)
        conflict = PriorConflict(name, routines, prior, frames)
        if not conflict.sigmas <= most_sigmas:
            found.append(conflict)
    return found


def doubted(
    twin: DigitalTwin, fit: FitStep, contributions: Mapping[str, Mapping[str, Estimate]]
) -> set[str]:
    """Return the names of values without whose priors a fit is to be tried.

    Args:
        twin: whose parameters were fitted.
        fit: the last step of the fit with these priors.
        contributions: by routine, then by the name of the value.
    """
    names = value_names(twin)
    contributed = {name for values in contributions.values() for name in values}
    bending = {
        name for name in contributed if float(fit.explained[names.index(name)]) > DOUBTED_SHARE
    }
    pulling = conflicts(twin, fit, contributions, DOUBTED_SIGMAS)
    return bending | {conflict.name for conflict in pulling}


def _figures(estimate: Estimate) -> str:
    return f"{estimate.value:.4g} ± {estimate.sigma:.1g}"
