"""How the liquid crystal goes from one pattern to the next: refresh, tearing, relaxation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from drivers.types import PatternId, Timing
from mock_hardware.settings import MockSlmSettings
from mock_hardware.state import State, named, part

Phase = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

TEN_TO_NINETY = np.log(9.0)
"""The 10-90 % time of an exponential, in time constants."""
SETTLED = 7.0
"""Time constants after which a step counts as done: 0.09 % are left, and then cut off."""


@dataclass(frozen=True)
class _Step:
    """One pattern: where its relaxation starts, where it ends, and when each row begins, (h,)."""

    pattern: PatternId
    refresh_s: float
    start: Phase
    target: Phase
    rows_s: Array
    settled_s: float

    @cached_property
    def moving(self) -> npt.NDArray[np.bool_]:
        """Which patches change at all, (P,): often the input alone, while the layers stand."""
        moving: npt.NDArray[np.bool_] = (self.start != self.target).any(axis=(1, 2))
        return moving


class LiquidCrystal:
    """The phase (P, h, w) of the patches at any moment.

    A pattern waits for the next refresh, which runs down the panel row by row. Then each pixel relaxes
    exponentially; 10-90 % times are those of the settings for a step of 2 pi, and longer by up to
    `small_step_slowdown` for small ones (the torque on the crystal grows with the step).
    row_share: (h,) place of each patch row on the panel, 0 ... 1.
    """

    def __init__(self, settings: MockSlmSettings, flat: Phase, row_share: Array) -> None:
        self._settings, self._row_share = settings, row_share
        always = np.full(len(row_share), -np.inf)
        self._now = _Step(0, -np.inf, flat, flat, always, -np.inf)
        # Patterns to come, in order; rows of the first may have begun. Several: while one is still
        # scanned down the panel, another waits for the next refresh.
        self._next: deque[_Step] = deque()

    @property
    def timing(self) -> Timing:
        """At worst a whole refresh, then the scan and the slowest step."""
        s = self._settings
        slowest_ms = SETTLED * max(s.rise_ms, s.fall_ms) / TEN_TO_NINETY
        slowest_ms *= 1.0 + s.small_step_slowdown
        return Timing(latency_ms=1e3 / s.refresh_hz, duration_ms=s.scan_ms + slowest_ms)

    def show(self, pattern: PatternId, target: Phase, now_s: float) -> float:
        """Begin a pattern at the next refresh; return the time of that refresh, s.

        Args:
            pattern: Its number.
            target: Phase (P, h, w) to which the crystal relaxes, radians.
            now_s: Time at which the pattern arrives.
        """
        self._advance(now_s)
        period_s = 1.0 / self._settings.refresh_hz
        # A pattern that arrives on the stroke is in time; rounding must not cost it a refresh.
        refresh_s = np.ceil(now_s / period_s - 1e-9) * period_s
        rows_s = refresh_s + self._row_share * self._settings.scan_ms * 1e-3
        while self._next and self._next[-1].refresh_s >= refresh_s:
            self._next.pop()  # overtaken before its refresh: it never appears
        # In each row the pattern before begins earlier, so that it is the one to be replaced there.
        before = self._next[-1] if self._next else self._now
        start = self._phase_of(before, rows_s[None, :, None])
        duration_s = (self.timing.duration_ms - self._settings.scan_ms) * 1e-3
        duration_s *= 1.0 + self._settings.undeclared_slowdown
        settled_s = float(rows_s.max()) + duration_s
        self._next.append(_Step(pattern, float(refresh_s), start, target, rows_s, settled_s))
        return float(refresh_s)

    def phase(self, now_s: float) -> Phase:
        """Return the phase (P, h, w) at a moment, radians."""
        self._advance(now_s)
        phase = self._phase_of(self._now, now_s)
        for step in self._next:
            begun = now_s >= step.rows_s
            if begun.any():
                phase = np.where(begun[None, :, None], self._phase_of(step, now_s), phase)
        return phase

    def pattern(self, now_s: float) -> PatternId:
        """Return the last pattern that has begun in all rows."""
        begun = [step for step in self._next if now_s >= step.rows_s.max() - 1e-9]
        return (begun[-1] if begun else self._now).pattern

    def pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """Return the pattern that stood still from start to end; None if anything moved."""
        step, ends_s = self._now, np.inf
        for following in self._next:
            if start_s < following.settled_s:
                ends_s = float(following.rows_s.min())
                break
            step = following
        still = start_s >= step.settled_s - 1e-9 and end_s <= ends_s + 1e-9
        return step.pattern if still else None

    def state(self) -> State:
        """Return the pattern that stands and those that follow, in their order."""
        state: State = {"steps": 1 + len(self._next)}
        for number, step in enumerate((self._now, *self._next)):
            state |= named(str(number), {f.name: getattr(step, f.name) for f in fields(step)})
        return state

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._now, *coming = (
            _Step(
                pattern=int(step["pattern"]),
                refresh_s=float(step["refresh_s"]),
                start=np.asarray(step["start"]),
                target=np.asarray(step["target"]),
                rows_s=np.asarray(step["rows_s"]),
                settled_s=float(step["settled_s"]),
            )
            for step in (part(str(number), state) for number in range(int(state["steps"])))
        )
        self._next = deque(coming)

    def _advance(self, now_s: float) -> None:
        while self._next and now_s >= self._next[0].rows_s.max():
            self._now = self._next.popleft()

    def _phase_of(self, step: _Step, when_s: float | Array) -> Phase:
        if step.start is step.target or np.min(when_s) >= step.settled_s:
            return step.target
        s = self._settings
        target = step.target[step.moving]
        change = target - step.start[step.moving]
        full_ms = np.where(change >= 0.0, s.rise_ms, s.fall_ms) / TEN_TO_NINETY
        small = 1.0 - np.minimum(np.abs(change) / (2.0 * np.pi), 1.0)
        full_ms = full_ms * (1.0 + s.undeclared_slowdown)
        tau_s = np.maximum(full_ms * (1.0 + s.small_step_slowdown * small), 1e-9) * 1e-3
        elapsed_s = np.maximum(when_s - step.rows_s[None, :, None], 0.0)
        left = np.exp(-elapsed_s / tau_s)
        left[np.broadcast_to(elapsed_s >= SETTLED * tau_s, left.shape)] = 0.0
        phase = step.target.copy()
        phase[step.moving] = target - change * left
        return phase
