"""What an alignment found: every parameter of the twin, how well, and what the frames could not tell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calibration.result import Verdict

Array = npt.NDArray[np.float64]
LEAST_TOLD = 0.5
"""A parameter of which the prior says more than the frames do is not told by them."""


@dataclass(frozen=True, slots=True)
class AlignmentFound:
    """names (P,): the twin's parameters, units in the names, numbered where there are several.

    value, sigma, told (P,): what was found, its standard deviation, and the share of it that comes from
    the frames (`twin.refine.FitStep`). held_out_d: discrepancy on probes that were not fitted.
    """

    names: tuple[str, ...] = field(compare=False)
    value: Array = field(compare=False)
    sigma: Array = field(compare=False)
    told: Array = field(compare=False)
    held_out_d: float
    verdict: Verdict

    @property
    def untold(self) -> tuple[str, ...]:
        """Parameters that were fitted and that the frames cannot tell from others."""
        fitted = zip(self.names, self.told, self.sigma, strict=True)
        return tuple(name for name, told, sigma in fitted if sigma > 0.0 and told < LEAST_TOLD)
