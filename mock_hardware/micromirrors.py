"""The mirrors of a DMD in time: which amplitude stands, and when mirrors move."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from drivers.types import FloatArray, PatternId
from mock_hardware.state import State

ROUNDING_S = 1e-9
"""Tolerance of comparisons of times: rounding of a sum of times must not cost an exposure its pattern."""


@dataclass(frozen=True, slots=True)
class _Displayed:
    """A field (h, w), when mirrors begin to move to it, and from when on it stands."""

    pattern: PatternId
    field: FloatArray
    moves_s: float
    stands_s: float


class MicromirrorArray:
    """The patterns of a DMD in their order. While mirrors move, the light goes nowhere."""

    def __init__(self, shape: tuple[int, int]) -> None:
        dark = np.zeros(shape, np.float32)
        self._pattern: PatternId = 0
        self._displayed = [_Displayed(0, dark, float("-inf"), float("-inf"))]

    def cancel_after(self, now_s: float) -> None:
        """Drop the patterns to which no mirror has begun to move.

        An exposure in progress may have begun with the pattern before the one that stands: two remain.
        """
        self._displayed = [each for each in self._displayed if each.moves_s <= now_s][-2:]

    def append(self, field: FloatArray, moves_s: float, stands_s: float) -> PatternId:
        """Append an amplitude to which the mirrors move; return its pattern.

        Args:
            field: amplitude, (h, w).
            moves_s: time at which the mirrors begin to move.
            stands_s: time from which they stand still.
        """
        self._pattern += 1
        self._displayed.append(_Displayed(self._pattern, field, moves_s, stands_s))
        return self._pattern

    def field(self, now_s: float) -> FloatArray:
        """Return the amplitude (h, w) at a moment."""
        displayed = self._displayed[self._index(now_s)]
        return displayed.field if now_s >= displayed.stands_s else np.zeros_like(displayed.field)

    def pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """Return the pattern that stood still from start to end; None if mirrors moved."""
        index = self._index(start_s + ROUNDING_S)
        displayed, following = self._displayed[index], self._displayed[index + 1 : index + 2]
        still = start_s >= displayed.stands_s - ROUNDING_S
        still = still and all(end_s <= after.moves_s + ROUNDING_S for after in following)
        return displayed.pattern if still else None

    def state(self) -> State:
        """Return the patterns and their times."""
        displayed = self._displayed
        return {
            "pattern": self._pattern,
            "patterns": np.array([each.pattern for each in displayed]),
            "fields": np.stack([each.field for each in displayed]),
            "moves_s": np.array([each.moves_s for each in displayed]),
            "stands_s": np.array([each.stands_s for each in displayed]),
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._pattern = int(state["pattern"])
        columns = [np.asarray(state[n]) for n in ("patterns", "fields", "moves_s", "stands_s")]
        self._displayed = [
            _Displayed(int(pattern), field, float(moves_s), float(stands_s))
            for pattern, field, moves_s, stands_s in zip(*columns, strict=True)
        ]

    def _index(self, now_s: float) -> int:
        """Return the index of the pattern to which the mirrors have moved, or are moving."""
        return max(bisect_right(self._displayed, now_s, key=_moves_s) - 1, 0)


def _moves_s(displayed: _Displayed) -> float:
    return displayed.moves_s
