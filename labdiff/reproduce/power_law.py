"""A power law y = factor x^exponent through points, by least squares of the logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labdiff.metrics.bootstrap import Values

RESAMPLES = 2000
"""Number of resamples of the exponent's interval."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """y = factor x^exponent; low, high: 95 % interval of the exponent by bootstrap over the points."""

    factor: float
    exponent: float
    low: float
    high: float

    def __call__(self, x: float) -> float:
        """Return y at x."""
        return float(self.factor * x**self.exponent)


def fit_power_law(x: Sequence[float], y: Sequence[float], seed: int = 0) -> PowerLaw:
    """Fit a power law.

    Args:
        x: of the points, > 0.
        y: of the points, > 0.
        seed: of the resamples.

    Raises:
        ValueError: there are not at least two different x.
    """
    if len(set(x)) < 2:
        raise ValueError("a power law needs two points with different x at least")
    log_x, log_y = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    exponent = float(_slopes(log_x[None], log_y[None])[0])
    factor = float(np.exp(log_y.mean() - exponent * log_x.mean()))
    drawn = np.random.default_rng(seed).integers(len(x), size=(RESAMPLES, len(x)))
    # No line is fitted to resamples of a single x.
    drawn = drawn[np.ptp(log_x[drawn], axis=1) > 0.0]
    low, high = np.percentile(_slopes(log_x[drawn], log_y[drawn]), [2.5, 97.5])
    return PowerLaw(factor, exponent, float(low), float(high))


def _slopes(x: Values, y: Values) -> Values:
    """Return the least-squares slope of each row of x, y (R, n)."""
    x = x - x.mean(1, keepdims=True)
    slopes: Values = (x * y).sum(1) / np.square(x).sum(1)
    return slopes
