"""Is the bench still the one of a few batches ago: a discrepancy against its own recent history."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import deque
from typing import Literal

import torch
from torch import Tensor

Verdict = Literal["usual", "suspicious", "sudden"]
REMEMBERED = 20
LEAST = 5
"""Looks before anything is unusual."""
SIGMAS, LEAST_SPREAD = 6.0, 0.15
OF_MEDIAN = 1.4826 / math.sqrt(2.0)
"""From the median change between two looks to the standard deviation of one."""
LEAST_FACTOR = 4.0
"""Drift and layers that learn change D by less than this from one batch to the next."""
TIMES_FLOOR = 3.0
TIMES_DRIFT = 12.0
"""Of a square whose expectation is 1, all but 5 in 10,000 lie below."""
IN_A_ROW = 2
"""One frame that went wrong is no change of the bench."""


class ChangeDetector:
    """Logarithms of D over the last looks. What is unusual is not remembered, nor is it to be learnt from.

    A change is called sudden when D lies far above the last few, twice in a row: by SIGMAS of its own
    scatter, at least LEAST_FACTOR times, and TIMES_FLOOR times what noise makes.
    """

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=REMEMBERED)
        self._unusual = 0

    def judge(self, discrepancy: float, noise_floor: float, drift: float = 0.0) -> Verdict:
        """Of one batch, by the mean over its frames; noise_floor may be NaN.

        drift: what the bench's usual drift since the last look is expected to add to D.
        """
        value = math.log(max(discrepancy, 1e-12))
        if len(self._seen) >= LEAST and not discrepancy <= TIMES_FLOOR * noise_floor:
            seen = list(self._seen)
            # From look to look, and by medians: while the twin is learnt D falls by orders of magnitude.
            changes = [abs(b - a) for a, b in itertools.pairwise(seen)]
            spread = max(OF_MEDIAN * statistics.median(changes), LEAST_SPREAD)
            usual = statistics.median(seen[-LEAST:])
            limit = math.exp(usual + max(SIGMAS * spread, math.log(LEAST_FACTOR)))
            if discrepancy > limit + TIMES_DRIFT * drift:
                self._unusual += 1
                return "sudden" if self._unusual >= IN_A_ROW else "suspicious"
        self._unusual = 0
        self._seen.append(value)
        return "usual"

    def state(self) -> Tensor:
        """How often in a row it was unusual, and what is remembered, float64."""
        return torch.tensor([self._unusual, *self._seen], dtype=torch.float64)

    def load_state(self, state: Tensor) -> None:
        """The inverse of `state`."""
        unusual, *seen = state.tolist()
        self._unusual, self._seen = int(unusual), deque(seen, REMEMBERED)
