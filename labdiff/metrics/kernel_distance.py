"""Kernel Inception distance: the squared maximum mean discrepancy of two sets of features.

Binkowski 2018: the unbiased estimate with the kernel (x.y / D + 1)^3, here of features divided by the
RMS of the real training features: of features as large as a classifier's the cube varies so much that the
figure means nothing (subsets of 100 real digits from real ones: 0.5 +- 12.5, divided 0.00 +- 0.08).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labdiff.metrics.bootstrap import Values

SUBSET = 1000
"""Number of images of a subset; a figure is the mean over all disjoint subsets."""


def rms(features: Values) -> float:
    """Return the root of the mean square over all images and features."""
    return float(np.sqrt(np.square(features).mean()))


def kernel_distance(features: Values, real: Values, scale: float) -> float:
    """Return the KID of features from real ones; it may be negative.

    Args:
        features: (n, D).
        real: (n, D).
        scale: by which both are divided.
    """
    once = np.ones((1, len(features)), np.int64)
    return float(resampled_kernel_distances(features, real, scale, once)[0])


def resampled_kernel_distances(
    features: Values, real: Values, scale: float, counts: npt.NDArray[np.int64]
) -> Values:
    """Return the KID (R,) of resamples of the features from the real ones.

    Pairs of an image with its own copy are left out, so that resamples are no more biased than the
    figure itself.

    Args:
        features: (n, D).
        real: (m, D).
        scale: by which both are divided.
        counts: how often each image is in each resample, (R, n).
    """
    blocks = max(1, min(len(features), len(real)) // SUBSET)
    parts = zip(
        np.array_split(np.arange(len(features)), blocks),
        np.array_split(real / scale, blocks),
        strict=True,
    )
    found = [_squared_mmd(features[i] / scale, y, counts[:, i]) for i, y in parts]
    return np.asarray(np.mean(found, axis=0), np.float64)


def _squared_mmd(x: Values, y: Values, counts: npt.NDArray[np.int64]) -> Values:
    weights = counts.astype(np.float64)
    drawn = weights.sum(1)
    within_x, within_y, between = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    np.fill_diagonal(within_x, 0.0)
    np.fill_diagonal(within_y, 0.0)
    pairs = drawn**2 - np.square(weights).sum(1)
    first = ((weights @ within_x) * weights).sum(1) / pairs
    second = within_y.sum() / (len(y) * (len(y) - 1))
    result: Values = first + second - 2.0 * (weights @ between.mean(1)) / drawn
    return result


def _kernel(x: Values, y: Values) -> Values:
    kernel: Values = (x @ y.T / x.shape[1] + 1.0) ** 3
    return kernel
