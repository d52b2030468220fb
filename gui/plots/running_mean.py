"""The running mean of a curve."""

from __future__ import annotations

import numpy as np

from gui.plots.column import Column, Floats


def running_mean(values: Floats, width: int) -> Floats:
    """Return at each place the mean of the finite values within width // 2 on either side.

    Towards an end the window is cut off. Where the value itself is not a number, the mean is none.
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
    """The running mean of a growing column; only what new values change is computed anew."""

    def __init__(self, source: Column, width: int) -> None:
        self.width = width
        self._source = source
        self._mean = Column()

    def column(self) -> Column:
        """Return the means of all values that the source has now."""
        half = self.width // 2
        if len(self._source) != len(self._mean):
            # The last half window lacked values that are there now.
            valid = max(len(self._mean) - half, 0)
            first = max(valid - half, 0)
            fresh = running_mean(self._source.values[first:], self.width)
            self._mean.cut(valid)
            self._mean.extend(fresh[valid - first :])
        return self._mean
