"""How the liquid crystal goes from one pattern to the next: refresh, tearing, relaxation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.types import PatternId, Timing
from mock_hardware.dials import SlmDials

Phase = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

TEN_TO_NINETY = np.log(9.0)
"""10-90 % time of an exponential, in time constants."""
SETTLED = 7.0
"""Time constants after which a step counts as done: 0.09 % are left, and then cut off."""


@dataclass(frozen=True)
class _Step:
    """One pattern: where its relaxation starts, where it ends, and when each row begins, (h,)."""

    pattern: PatternId
    start: Phase
    target: Phase
    rows_s: Array
    settled_s: float


class LiquidCrystal:
    """The phase (P, h, w) of the patches at any moment.

    A pattern waits for the next refresh, which runs down the panel row by row. Then each pixel relaxes
    exponentially; 10-90 % times are those of the dials for a step of 2 pi, and longer by up to
    `small_step_slowdown` for small ones (the torque on the crystal grows with the step).
    row_share: (h,) place of each patch row on the panel, 0 ... 1.
    """

    def __init__(self, dials: SlmDials, flat: Phase, row_share: Array) -> None:
        self._dials, self._row_share = dials, row_share
        always = np.full(len(row_share), -np.inf)
        self._now = _Step(0, flat, flat, always, -np.inf)
        self._next: _Step | None = None

    @property
    def timing(self) -> Timing:
        """At worst a whole refresh, then the scan and the slowest step."""
        d = self._dials
        slowest_ms = SETTLED * max(d.rise_ms, d.fall_ms) / TEN_TO_NINETY
        slowest_ms *= 1.0 + d.small_step_slowdown
        return Timing(latency_ms=1e3 / d.refresh_hz, duration_ms=d.scan_ms + slowest_ms)

    def show(self, pattern: PatternId, target: Phase, now_s: float) -> float:
        """Begin a pattern at the next refresh; returns its time, s."""
        self._advance(now_s)
        period_s = 1.0 / self._dials.refresh_hz
        # A pattern that arrives on the stroke is in time; rounding must not cost it a refresh.
        refresh_s = np.ceil(now_s / period_s - 1e-9) * period_s
        rows_s = refresh_s + self._row_share * self._dials.scan_ms * 1e-3
        start = self._phase_of(self._now, rows_s[None, :, None])
        duration_s = (self.timing.duration_ms - self._dials.scan_ms) * 1e-3
        settled_s = float(rows_s.max()) + duration_s
        self._next = _Step(pattern, start, target, rows_s, settled_s)
        return float(refresh_s)

    def phase(self, now_s: float) -> Phase:
        """(P, h, w) at a moment, radians."""
        self._advance(now_s)
        before = self._phase_of(self._now, now_s)
        if self._next is None:
            return before
        begun = (now_s >= self._next.rows_s)[None, :, None]
        return np.where(begun, self._phase_of(self._next, now_s), before)

    def pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """The pattern that stood still from start to end; None if anything moved."""
        step, following = self._now, self._next
        if following is not None and start_s >= following.settled_s:
            step, following = following, None
        ends_s = float(following.rows_s.min()) if following is not None else np.inf
        still = start_s >= step.settled_s - 1e-9 and end_s <= ends_s + 1e-9
        return step.pattern if still else None

    def _advance(self, now_s: float) -> None:
        if self._next is not None and now_s >= self._next.rows_s.max():
            self._now, self._next = self._next, None

    def _phase_of(self, step: _Step, when_s: float | Array) -> Phase:
        if step.start is step.target or np.min(when_s) >= step.settled_s:
            return step.target
        d = self._dials
        change = step.target - step.start
        full_ms = np.where(change >= 0.0, d.rise_ms, d.fall_ms) / TEN_TO_NINETY
        small = 1.0 - np.minimum(np.abs(change) / (2.0 * np.pi), 1.0)
        tau_s = np.maximum(full_ms * (1.0 + d.small_step_slowdown * small), 1e-9) * 1e-3
        elapsed_s = np.maximum(when_s - step.rows_s[None, :, None], 0.0)
        left = np.exp(-elapsed_s / tau_s)
        left[np.broadcast_to(elapsed_s >= SETTLED * tau_s, left.shape)] = 0.0
        phase: Phase = (step.target - change * left).astype(np.float32)
        return phase
