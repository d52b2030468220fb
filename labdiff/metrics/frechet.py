"""The Frechet distance of two sets of features, taken as Gaussians (Heusel 2017, eq. 6).

    d = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With S = A' A / (n - 1), A the centred features, tr (S1 S2)^(1/2) is the sum of the singular values of
A1 A2' / (n - 1): no root of a singular matrix of 2,048 x 2,048 is needed. All in float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labdiff.metrics.bootstrap import Values

LEADING_VARIANCE = 0.999
"""Share of the real features' variance whose directions enter the resamples' cross term.

The distance of all images uses all directions.
"""


def frechet_distance(features: Values, real: Values) -> float:
    """Return the distance of features (n, D) from real ones (m, D); n, m >= 2."""
    first, second = features - features.mean(0), real - real.mean(0)
    cross = _root(first, 1.0) @ _root(second, 1.0).T
    roots = np.linalg.svd(cross, compute_uv=False).sum()
    apart = np.square(features.mean(0) - real.mean(0)).sum()
    distance = apart + _variance(first) + _variance(second) - 2.0 * roots
    return float(max(distance, 0.0))


def resampled_distances(features: Values, real: Values, counts: npt.NDArray[np.int64]) -> Values:
    """Return the distances (R,) of resamples of the features from the real ones.

    For speed the cross term is taken within the real features' leading directions, which hold 99.9 %
    of their variance: this shifts all distances alike, and the interval is about their scatter.

    Args:
        features: (n, D).
        real: (m, D).
        counts: how often each image is in each resample, (R, n).
    """
    centre, mean_real = features.mean(0), real.mean(0)
    first, second = features - centre, real - mean_real
    along = first @ _root(second, LEADING_VARIANCE).T
    squares = np.square(first).sum(1)
    n, total_real = len(features), _variance(second)
    distances = np.empty(len(counts))
    for index, count in enumerate(counts):
        weights = count / n
        shift = weights @ first
        spread = (weights @ squares - shift @ shift) * n / (n - 1)
        drawn = count > 0
        rows = (along[drawn] - weights @ along) * np.sqrt(count[drawn] / (n - 1))[:, None]
        # The smaller of the two Gram matrices has the same eigenvalues.
        gram = rows.T @ rows if rows.shape[1] < rows.shape[0] else rows @ rows.T
        roots = np.sqrt(np.linalg.eigvalsh(gram).clip(0.0)).sum()
        apart = np.square(centre + shift - mean_real).sum()
        distances[index] = apart + spread + total_real - 2.0 * roots
    return distances


def _variance(centred: Values) -> float:
    return float(np.square(centred).sum() / (len(centred) - 1))


def _root(centred: Values, share: float) -> Values:
    """Return R (r, D) with R' R the covariance, without the directions of least variance."""
    _, values, axes = np.linalg.svd(centred / np.sqrt(len(centred) - 1), full_matrices=False)
    variance = np.cumsum(values**2)
    rank = len(values)
    if share < 1.0:
        rank = int(np.searchsorted(variance, share * variance[-1])) + 1
    root: Values = values[:rank, None] * axes[:rank]
    return root
