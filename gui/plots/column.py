"""A growing column of numbers, and its peaks at a given width."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BLOCK = 128


class Column:
    """Numbers to which others are appended; not-a-number where there is none.

    The memory doubles, so that n appends cost n. Least and greatest of every block of 128 are stored, so
    that a million numbers are drawn, and their bounds found, without reading each again.
    """

    def __init__(self) -> None:
        self._memory = np.empty(BLOCK)
        self._count = 0
        self._low, self._high = np.empty(1), np.empty(1)
        self._blocks = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> Floats:
        """All numbers; a view that is valid until the next change."""
        return self._memory[: self._count]

    def append(self, value: float) -> None:
        """Append one number."""
        if self._count == len(self._memory):
            self._grow(self._count + 1)
        self._memory[self._count] = value
        self._count += 1

    def extend(self, values: npt.ArrayLike) -> None:
        """Append many numbers."""
        more = np.asarray(values, np.float64)
        self._grow(self._count + len(more))
        self._memory[self._count : self._count + len(more)] = more
        self._count += len(more)

    def cut(self, count: int) -> None:
        """Remove all numbers but the first `count`."""
        self._count = min(count, self._count)
        self._blocks = min(self._blocks, self._count // BLOCK)

    def bounds(self, positive: bool = False) -> tuple[float, float] | None:
        """Return the least and the greatest number, above zero if `positive`; None if there are none."""
        low, high = self._summary()
        if positive and (low <= 0.0).any():
            low = high = self.values[self.values > 0.0]
        low, high = low[np.isfinite(low)], high[np.isfinite(high)]
        return (float(low.min()), float(high.max())) if low.size and high.size else None

    def peaks(self, first: int, last: int, most: int) -> tuple[Floats, Floats]:
        """Return (places, values) that show [first, last) at a width of `most` points.

        These are all values if they are few; else least and greatest of each of about `most` equal parts,
        so that no peak is lost. A part is not a number if all of it is not.

        Args:
            first: First place.
            last: Place after the last.
            most: Width in points.
        """
        first, last = max(first, 0), min(last, self._count)
        if last - first <= 2 * most:
            return np.arange(first, last, dtype=np.float64), self.values[first:last].copy()
        step = -(-(last - first) // most)
        if step < 2 * BLOCK:
            low = high = self.values[first:last]
            start, width = first, 1
        else:
            low, high = self._summary()
            start, end = first // BLOCK, -(-last // BLOCK)
            low, high, step = low[start:end], high[start:end], step // BLOCK
            start, width = start * BLOCK, BLOCK
        edges = np.arange(0, len(low), step)
        places = start + width * np.repeat(edges, 2).astype(np.float64)
        places[1::2] += 0.5 * width * step
        values = np.empty(2 * len(edges))
        values[0::2] = np.fmin.reduceat(low, edges)
        values[1::2] = np.fmax.reduceat(high, edges)
        return np.minimum(places, self._count - 1), values

    def _grow(self, count: int) -> None:
        if count > len(self._memory):
            memory = np.empty(max(count, 2 * len(self._memory)))
            memory[: self._count] = self.values
            self._memory = memory

    def _summary(self) -> tuple[Floats, Floats]:
        """Return least and greatest of all blocks; the last may be short."""
        whole = self._count // BLOCK
        if whole > self._blocks:
            if whole > len(self._low):
                self._low = np.resize(self._low, 2 * whole)
                self._high = np.resize(self._high, 2 * whole)
            new = self._memory[self._blocks * BLOCK : whole * BLOCK].reshape(-1, BLOCK)
            self._low[self._blocks : whole] = np.fmin.reduce(new, axis=1)
            self._high[self._blocks : whole] = np.fmax.reduce(new, axis=1)
            self._blocks = whole
        rest = self._memory[whole * BLOCK : self._count]
        if not len(rest):
            return self._low[:whole], self._high[:whole]
        return (
            np.append(self._low[:whole], np.fmin.reduce(rest)),
            np.append(self._high[:whole], np.fmax.reduce(rest)),
        )
