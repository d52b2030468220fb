"""Display panels on the SLM, the first one of the batch to come before its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drivers.protocols import SLM
from drivers.types import FloatArray
from labdiff.bench.acquisition import DisplayedPattern
from labdiff.bench.clock import BenchClock


@dataclass(frozen=True, slots=True)
class _Prefetched:
    panel: FloatArray
    displayed: DisplayedPattern
    reopened: int


class PatternPrefetcher:
    """Displays panels (height, width), unless the one asked for was displayed ahead.

    settle_ms: how long a panel takes to settle. reopened: how often devices were reopened so far, after
    which a panel that was displayed ahead counts no more.
    """

    def __init__(
        self,
        slm: SLM,
        clock: BenchClock,
        settle_ms: Callable[[], float],
        reopened: Callable[[], int],
    ) -> None:
        self._slm, self._clock = slm, clock
        self._settle_ms, self._reopened = settle_ms, reopened
        self._prefetched: _Prefetched | None = None

    def display(self, panel: FloatArray) -> DisplayedPattern:
        """Display a panel, unless it is the one that was displayed ahead and still stands."""
        ahead, self._prefetched = self._prefetched, None
        if (
            ahead is not None
            and ahead.reopened == self._reopened()
            and np.array_equal(ahead.panel, panel)
        ):
            return ahead.displayed
        pattern = self._slm.set_phase(panel)
        return DisplayedPattern(pattern, self._clock.now_s() + self._settle_ms() / 1e3)

    def prefetch(self, panel: FloatArray) -> None:
        """Display the panel that will be asked for next."""
        self._prefetched = None
        self._prefetched = _Prefetched(panel, self.display(panel), self._reopened())

    def forget(self) -> None:
        """Let what was displayed ahead count no more: somebody else may have used the SLM since."""
        self._prefetched = None
