"""Panels on the SLM, the first one of a batch to come before its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drivers.protocols import SLM
from drivers.types import FloatArray
from labdiff.bench.acquisition import Written
from labdiff.bench.clock import Clock


@dataclass(frozen=True, slots=True)
class _Ahead:
    panel: FloatArray
    written: Written
    reopened: int


class PatternPrefetcher:
    """settle_ms: how long a panel takes to stand. reopened: how often devices were opened again so far."""

    def __init__(
        self, slm: SLM, clock: Clock, settle_ms: Callable[[], float], reopened: Callable[[], int]
    ) -> None:
        self._slm, self._clock = slm, clock
        self._settle_ms, self._reopened = settle_ms, reopened
        self._ahead: _Ahead | None = None

    def write(self, panel: FloatArray) -> Written:
        """Show a panel (height, width), unless it is the one that was written ahead and still stands."""
        ahead, self._ahead = self._ahead, None
        if (
            ahead is not None
            and ahead.reopened == self._reopened()
            and np.array_equal(ahead.panel, panel)
        ):
            return ahead.written
        pattern = self._slm.set_phase(panel)
        return Written(pattern, self._clock.now_s() + self._settle_ms() / 1e3)

    def write_ahead(self, panel: FloatArray) -> None:
        """Show the panel that will be asked for next."""
        self._ahead = None
        self._ahead = _Ahead(panel, self.write(panel), self._reopened())

    def forget(self) -> None:
        """What was written ahead counts no more: somebody else may have written since."""
        self._ahead = None
