"""Confidence intervals by resampling the generated images with replacement (the bootstrap, Efron 1979)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 200
"""Number of resamples of an interval."""
CONFIDENCE = 0.95
"""Share of the resamples that lie within an interval."""


def resample_counts(count: int, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw how often each image is in each resample.

    A resample that holds one image only is drawn again: it has no pair of different images, which a
    kernel distance needs.

    Args:
        count: number of images, at least two.
        resamples: number of resamples.
        seed: of the random numbers.

    Returns:
        (resamples, count); every row sums to count.
    """
    rng = np.random.default_rng(seed)
    chances = np.full(count, 1.0 / count)
    counts = rng.multinomial(count, chances, size=resamples)
    while (single := (counts == count).any(1)).any():
        counts[single] = rng.multinomial(count, chances, size=int(single.sum()))
    return counts


def interval_around(value: float, resampled: Values, least: float = -np.inf) -> tuple[float, float]:
    """Return the 95 % interval: the resamples' percentiles, shifted so that their mean is the value.

    A resample holds each image several times or not at all, and figures such as the Frechet distance
    rise when there are fewer different images: by about as much as the value itself lies above that of
    infinitely many images. The interval is the figure's scatter at this count; the figure's own
    dependence on the count shows in the figure of real images against real ones.

    Args:
        value: the figure of all images.
        resampled: the figure of each resample.
        least: lower limit of the interval.
    """
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(resampled, [tail, 100.0 - tail])
    shift = value - float(resampled.mean())
    return max(float(low) + shift, least), float(high) + shift
