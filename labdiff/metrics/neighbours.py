"""Precision and recall of a set of images, and its distance from the nearest training images.

A generator that draws ten images over and over can have a small Frechet distance. Precision and recall
(Kynkaanniemi 2019, eq. 1 and 2) tell apart how many generated images lie among the real ones, and how
many real images the generated ones reach. A set lies within the union of balls about its images, each as
large as the distance to the image's k-th nearest neighbour in the same set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from labdiff.metrics.bootstrap import Values

NEIGHBOUR = 3
"""The neighbour whose distance is the radius of an image's ball: 3 in Kynkaanniemi 2019."""
BLOCK = 256
"""Number of rows of a matrix of distances that are held in memory at a time."""


def precision(features: Values, real: Values) -> npt.NDArray[np.bool_]:
    """Return which images lie within the real ones, (n,); precision is the mean.

    Args:
        features: of the generated images, (n, D).
        real: of the real images, (m, D); m above 3.

    Raises:
        ValueError: there are not enough real images.
    """
    radii = ball_radii(real)
    return np.concatenate([(block <= radii).any(1) for block in _distances(features, real)])


def reached(features: Values, real: Values) -> npt.NDArray[np.bool_]:
    """Return which generated images reach which real ones, (n, m); recall is `.any(0).mean()`.

    Args:
        features: of the generated images, (n, D); n above 3.
        real: of the real images, (m, D).

    Raises:
        ValueError: there are not enough generated images.
    """
    radii = ball_radii(features)
    blocks = [(block <= radii).T for block in _distances(real, features)]
    return np.concatenate(blocks, axis=1)


def resampled_recalls(reaches: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64]) -> Values:
    """Return the recalls (R,) of resamples, with the balls of all images.

    Args:
        reaches: which generated images reach which real ones, (n, m).
        counts: how often each image is in each resample, (R, n).
    """
    return np.array([reaches[count > 0].any(0).mean() for count in counts])


def ball_radii(features: Values) -> Values:
    """Return the distance of each image (n, D) from its third nearest neighbour in the set, (n,).

    Raises:
        ValueError: there are fewer than four images.
    """
    if len(features) <= NEIGHBOUR:
        raise ValueError(
            f"precision and recall need {NEIGHBOUR + 1} images on each side; here {len(features)}"
        )
    # The nearest of all is the image itself.
    blocks = [
        np.partition(d, NEIGHBOUR, axis=1)[:, NEIGHBOUR] for d in _distances(features, features)
    ]
    radii: Values = np.concatenate(blocks)
    return radii


def nearest_distances(images: Values, training: Values) -> Values:
    """Return the RMS difference of each image from its nearest training image, (n,).

    Args:
        images: (n, H, W).
        training: (m, H, W).
    """
    flat, known = images.reshape(len(images), -1), training.reshape(len(training), -1)
    nearest = np.concatenate([block.min(1) for block in _distances(flat, known)])
    distances: Values = nearest / np.sqrt(flat.shape[1])
    return distances


def _distances(x: Values, y: Values) -> Iterator[Values]:
    """Yield blocks of rows of the distances (n, m) of x (n, D) from y (m, D)."""
    squares = np.square(y).sum(1)
    for begin in range(0, len(x), BLOCK):
        rows = x[begin : begin + BLOCK]
        found = np.square(rows).sum(1)[:, None] + squares - 2.0 * rows @ y.T
        yield np.sqrt(found.clip(0.0))
