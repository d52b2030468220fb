"""Variety within classes and shares of classes, which a distance of Gaussians does not see.

Classes are those that a classifier finds, in real images as in generated ones. Where a data set has one
class, all images are of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labdiff.metrics.bootstrap import Values


def variance_within(
    images: Values, labels: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> Values:
    """Return the variance within classes of resamples, (R,): mean squared distance from the class mean.

    The sums of each class are divided by its number of images less one.

    Args:
        images: (n, D), flat.
        labels: class of each image, (n,).
        counts: how often each image is in each resample, (R, n).
    """
    total = np.zeros(len(counts))
    for label in np.unique(labels):
        chosen = labels == label
        weights, values = counts[:, chosen].astype(np.float64), images[chosen]
        drawn = weights.sum(1)
        sums = weights @ values
        # Where a resample holds none or one of a class, it has no variance within it.
        apart = weights @ np.square(values).sum(1) - np.square(sums).sum(1) / np.maximum(drawn, 1)
        total += apart / np.maximum(drawn - 1, 1) * drawn
    result: Values = total / counts.sum(1)
    return result


def class_shares(
    labels: npt.NDArray[np.int64], classes: int, counts: npt.NDArray[np.int64]
) -> Values:
    """Return the share of each class in resamples, (R, K).

    Args:
        labels: class of each image, (n,), from 0 to K - 1.
        classes: number of classes K.
        counts: how often each image is in each resample, (R, n).
    """
    members = labels[:, None] == np.arange(classes)
    shares: Values = counts @ members / counts.sum(1, keepdims=True)
    return shares
