"""A power law y = factor x^exponent through points, by least squares of the logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """low, high: 95 % interval of the exponent by bootstrap over the points."""

    factor: float
    exponent: float
    low: float
    high: float

    def __call__(self, x: float) -> float:
        """y at x."""
        return float(self.factor * x**self.exponent)


def fit_power_law(x: Sequence[float], y: Sequence[float], seed: int = 0) -> PowerLaw:
    """Through points x, y > 0. Raises ValueError if there are not two different x at least."""
    if len(set(x)) < 2:
        raise ValueError("a power law needs two points with different x at least")
    logs = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    exponent, constant = np.polyfit(*logs, 1)
    rng = np.random.default_rng(seed)
    exponents = []
    while len(exponents) < RESAMPLES:
        drawn = rng.integers(len(x), size=len(x))
        if len(set(logs[0][drawn].tolist())) > 1:  # through a single x goes no line
            exponents.append(np.polyfit(logs[0][drawn], logs[1][drawn], 1)[0])
    low, high = np.percentile(exponents, [2.5, 97.5])
    return PowerLaw(float(np.exp(constant)), float(exponent), float(low), float(high))
