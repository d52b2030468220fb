"""Confidence intervals by resampling the generated images with replacement (Efron 1979)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 200
CONFIDENCE = 0.95


def resample_counts(count: int, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """How often each image is in each resample, (resamples, count); every row sums to count."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)


def interval_around(value: float, resampled: Values, least: float = -np.inf) -> tuple[float, float]:
    """The 95 % interval: the resamples' percentiles, moved so that their mean lies on the value.

    A resample holds each image several times or not at all, and figures such as the Frechet distance
    rise when there are fewer different images: by about as much as the value itself lies above that of
    infinitely many images. The interval tells how the figure scatters at this count, and leaves the
    figure's own dependence on the count to the real-against-real floor. least: no interval goes below.
    """
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(resampled, [tail, 100.0 - tail])
    shift = value - float(resampled.mean())
    return max(float(low) + shift, least), float(high) + shift
