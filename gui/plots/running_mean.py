"""A curve without its noise: the mean about each step."""

from __future__ import annotations

import numpy as np

from gui.plots.column import Column, Floats


def running_mean(values: Floats, width: int) -> Floats:
    """At each place the mean of the finite values within width // 2 on either side.

    Towards an end the window is what there is of it. Not a number where the value itself is none.
    """
    half = width // 2
    known = np.isfinite(values)
    total = _over_windows(np.where(known, values, 0.0), half)
    count = _over_windows(known.astype(np.float64), half)
    mean = np.full(len(values), np.nan)
    np.divide(total, count, out=mean, where=known)
    return mean


def _over_windows(values: Floats, half: int) -> Floats:
    sums = np.concatenate((np.zeros(half + 1), np.cumsum(values)))
    sums = np.concatenate((sums, np.full(half, sums[-1])))
    result: Floats = sums[2 * half + 1 :] - sums[: len(values)]
    return result


class RunningMean:
    """Follows a column that grows; only what new values change is computed anew."""

    def __init__(self, source: Column, width: int) -> None:
        self.width = width
        self._source = source
        self._mean = Column()

    def column(self) -> Column:
        """The means of all that the source holds now."""
        half = self.width // 2
        if len(self._source) != len(self._mean):
            # The last half window looked for values that were not there yet.
            keep = max(len(self._mean) - half, 0)
            first = max(keep - half, 0)
            fresh = running_mean(self._source.values[first:], self.width)
            self._mean.cut(keep)
            self._mean.extend(fresh[keep - first :])
        return self._mean
