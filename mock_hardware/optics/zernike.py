"""Zernike polynomials, single index of ANSI Z80.28, normalised to unit rms over the unit disc."""

from __future__ import annotations

from math import factorial, isqrt

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def zernike(index: int, y: Array, x: Array) -> Array:
    """Return Z_j at points of the unit disc, and its continuation outside.

    Args:
        index: ANSI's index j = (n (n + 2) + m) / 2.
        y: of the points.
        x: of the points.
    """
    order = (isqrt(8 * index + 1) - 1) // 2
    turns = 2 * index - order * (order + 2)
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    m = abs(turns)
    radial = np.zeros_like(radius)
    for k in range((order - m) // 2 + 1):
        weight = (-1) ** k * factorial(order - k)
        weight /= factorial(k) * factorial((order + m) // 2 - k) * factorial((order - m) // 2 - k)
        radial += weight * radius ** (order - 2 * k)
    norm = np.sqrt(order + 1.0) if m == 0 else np.sqrt(2.0 * (order + 1.0))
    azimuth = np.cos(m * angle) if turns >= 0 else np.sin(m * angle)
    result: Array = norm * radial * azimuth
    return result


def surface(weights: Array, first: int, y: Array, x: Array) -> Array:
    """Return the sum of weights[i] Z_(first + i).

    Args:
        weights: of the terms.
        first: index of the first term.
        y: of the points.
        x: of the points.
    """
    total = np.zeros(np.broadcast_shapes(y.shape, x.shape))
    y, x = np.broadcast_arrays(y, x)
    for step, weight in enumerate(weights):
        if weight:
            total += weight * zernike(first + step, y, x)
    return total
