"""Numbers that keep coming, and what of them can be seen at a given width."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BLOCK = 128


class Column:
    """A row of numbers that grows; not-a-number where there is none.

    The room doubles, so that n appends cost n. Least and greatest of every block of 128 are kept, so
    that a million numbers are drawn, and their bounds told, without looking at each again.
    """

    def __init__(self) -> None:
        self._room = np.empty(BLOCK)
        self._count = 0
        self._low, self._high = np.empty(1), np.empty(1)
        self._blocks = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> Floats:
        """All of them; a view that is good until the next change."""
        return self._room[: self._count]

    def append(self, value: float) -> None:
        """Add one."""
        if self._count == len(self._room):
            self._grow(self._count + 1)
        self._room[self._count] = value
        self._count += 1

    def extend(self, values: npt.ArrayLike) -> None:
        """Add many."""
        more = np.asarray(values, np.float64)
        self._grow(self._count + len(more))
        self._room[self._count : self._count + len(more)] = more
        self._count += len(more)

    def cut(self, count: int) -> None:
        """Keep the first `count`."""
        self._count = min(count, self._count)
        self._blocks = min(self._blocks, self._count // BLOCK)

    def bounds(self, positive: bool = False) -> tuple[float, float] | None:
        """Least and greatest, of those above zero if `positive`; None if there are none."""
        low, high = self._summary()
        if positive and (low <= 0.0).any():
            low = high = self.values[self.values > 0.0]
        low, high = low[np.isfinite(low)], high[np.isfinite(high)]
        return (float(low.min()), float(high.max())) if low.size and high.size else None

    def peaks(self, first: int, last: int, most: int) -> tuple[Floats, Floats]:
        """What of [first, last) is seen at a width of `most` points: (places, values).

        All values if they are few; else least and greatest of each of about `most` equal parts, so
        that no peak is lost. A part is not a number if all of it is not.
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
        if count > len(self._room):
            room = np.empty(max(count, 2 * len(self._room)))
            room[: self._count] = self.values
            self._room = room

    def _summary(self) -> tuple[Floats, Floats]:
        """Least and greatest of all blocks; the last may be short."""
        whole = self._count // BLOCK
        if whole > self._blocks:
            if whole > len(self._low):
                self._low = np.resize(self._low, 2 * whole)
                self._high = np.resize(self._high, 2 * whole)
            new = self._room[self._blocks * BLOCK : whole * BLOCK].reshape(-1, BLOCK)
            self._low[self._blocks : whole] = np.fmin.reduce(new, axis=1)
            self._high[self._blocks : whole] = np.fmax.reduce(new, axis=1)
            self._blocks = whole
        rest = self._room[whole * BLOCK : self._count]
        if not len(rest):
            return self._low[:whole], self._high[:whole]
        return (
            np.append(self._low[:whole], np.fmin.reduce(rest)),
            np.append(self._high[:whole], np.fmax.reduce(rest)),
        )
