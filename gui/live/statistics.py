"""Statistics of a frame's counts, cheap enough for ten times a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_PIXELS = 150_000
"""Number of pixels in the histogram, about, on an even grid; least and most are those of all pixels."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of one frame.

    Attributes:
        histogram: histogram[c] is the number of pixels of the sample with c counts.
        least: Least count of the whole frame.
        most: Greatest count of the whole frame.
    """

    histogram: npt.NDArray[np.int64]
    least: int
    most: int

    @property
    def empty(self) -> bool:
        """True if there was no pixel."""
        return not self.histogram.any()

    def percentile(self, percent: float) -> int:
        """Return the count that so many percent of the sample's pixels do not exceed."""
        sums = np.cumsum(self.histogram)
        wanted = max(1.0, percent / 100.0 * float(sums[-1]))
        return int(np.searchsorted(sums, wanted))

    def binned(self, bins: int, maximum: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return edges (n + 1,), counts, and pixels (n,) of about `bins` even bins over 0 ... maximum."""
        width = max(1, -(-(maximum + 1) // bins))
        count = -(-(max(maximum, len(self.histogram) - 1) + 1) // width)
        padded = np.zeros(count * width, np.int64)
        padded[: len(self.histogram)] = self.histogram
        return np.arange(count + 1.0) * width, padded.reshape(count, width).sum(axis=1)


def statistics_of(pixels: npt.NDArray[Any]) -> Statistics:
    """Return the statistics of (h, w) uint8 or uint16; without pixels the histogram is empty."""
    if not pixels.size:
        return Statistics(np.zeros(1, np.int64), 0, 0)
    stride = max(1, int((pixels.size / SAMPLE_PIXELS) ** 0.5))
    # From the middle of each cell of the grid, lest a border decide.
    sample = pixels[stride // 2 :: stride, stride // 2 :: stride]
    histogram = np.bincount((sample if sample.size else pixels).ravel())
    return Statistics(histogram, int(pixels.min()), int(pixels.max()))
