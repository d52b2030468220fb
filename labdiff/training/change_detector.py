"""Detect a change point of the bench: a discrepancy against its own recent history."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import deque
from typing import Literal

import torch
from torch import Tensor

Verdict = Literal["expected", "suspicious", "change point"]
HISTORY = 20
"""Number of discrepancies that the history holds."""
LEAST = 5
"""Number of discrepancies before any can be unexpected."""
SIGMAS, LEAST_SPREAD = 6.0, 0.15
OF_MEDIAN = 1.4826 / math.sqrt(2.0)
"""Factor from the median change between two batches to the standard deviation of one."""
LEAST_FACTOR = 4.0
"""Drift and layers that learn change D by less than this factor from one batch to the next."""
TIMES_FLOOR = 3.0
"""Multiple of the noise floor below which D is never unexpected."""
TIMES_DRIFT = 12.0
"""Multiple of the drift's expected square: of such a square all but 5 in 10,000 lie below."""
IN_A_ROW = 2
"""Number of unexpected batches in a row that make a change point: one frame may go wrong."""


class ChangeDetector:
    """Logarithms of D over the last batches; an unexpected one is not added, nor trained on.

    A change point is where D lies far above the last few, twice in a row: by SIGMAS of its own scatter, at
    least LEAST_FACTOR times, and TIMES_FLOOR times what noise makes.
    """

    def __init__(self) -> None:
        self._history: deque[float] = deque(maxlen=HISTORY)
        self._unexpected = 0

    def check(self, discrepancy: float, noise_floor: float, drift: float = 0.0) -> Verdict:
        """Return the verdict on one batch, and add it to the history if it is expected.

        Args:
            discrepancy: mean D over the batch's frames.
            noise_floor: D of a perfect twin, by the frames' noise; may be NaN.
            drift: what the bench's drift since the last batch is expected to add to D.
        """
        value = math.log(max(discrepancy, 1e-12))
        if len(self._history) >= LEAST and not discrepancy <= TIMES_FLOOR * noise_floor:
            history = list(self._history)
            # From batch to batch, and by medians: while the twin learns D falls by orders of magnitude.
            changes = [abs(b - a) for a, b in itertools.pairwise(history)]
            spread = max(OF_MEDIAN * statistics.median(changes), LEAST_SPREAD)
            recent = statistics.median(history[-LEAST:])
            limit = math.exp(recent + max(SIGMAS * spread, math.log(LEAST_FACTOR)))
            if discrepancy > limit + TIMES_DRIFT * drift:
                self._unexpected += 1
                return "change point" if self._unexpected >= IN_A_ROW else "suspicious"
        self._unexpected = 0
        self._history.append(value)
        return "expected"

    def state(self) -> Tensor:
        """Return the number of unexpected batches in a row and the history, float64."""
        return torch.tensor([self._unexpected, *self._history], dtype=torch.float64)

    def load_state(self, state: Tensor) -> None:
        """Resume from what `state` gave."""
        unexpected, *history = state.tolist()
        self._unexpected, self._history = int(unexpected), deque(history, HISTORY)
