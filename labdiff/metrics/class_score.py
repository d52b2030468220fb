"""Inception score: high if a classifier is sure of each image's class and finds many classes.

Salimans 2016:

IS = exp(mean over images of KL(p(y | image) || p(y))),  between 1 and the number of classes
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labdiff.metrics.bootstrap import Values


def class_score(probabilities: Values) -> float:
    """Return the score of class probabilities (n, K), whose rows sum to 1."""
    return float(
        resampled_class_scores(probabilities, np.ones((1, len(probabilities)), np.int64))[0]
    )


def resampled_class_scores(probabilities: Values, counts: npt.NDArray[np.int64]) -> Values:
    """Return the scores (R,) of resamples. KL = sum p log p - sum p log p(y).

    probabilities: (n, K). counts: how often each image is in each resample, (R, n).
    """
    weights = counts / counts.sum(1, keepdims=True)
    certain = _plogp(probabilities).sum(1)
    scores: Values = np.exp(weights @ certain - _plogp(weights @ probabilities).sum(1))
    return scores


def _plogp(p: Values) -> Values:
    product: Values = p * np.log(np.maximum(p, np.finfo(np.float64).tiny))
    return product
