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
    return _term(index, y**2 + x**2, (x + 1j * y) ** _order_and_turns(index)[1])


def surface(weights: Array, first: int, y: Array, x: Array) -> Array:
    """Return the sum of weights[i] Z_(first + i).

    Args:
        weights: of the terms.
        first: index of the first term.
        y: of the points.
        x: of the points.
    """
    total = np.zeros(np.broadcast_shapes(y.shape, x.shape))
    squared, position = y**2 + x**2, x + 1j * y
    turned: list[npt.NDArray[np.complex128]] = [np.ones_like(position)]
    for step, weight in enumerate(weights):
        if weight:
            index = first + step
            while len(turned) <= _order_and_turns(index)[1]:
                turned.append(turned[-1] * position)
            total += weight * _term(index, squared, turned[_order_and_turns(index)[1]])
    return total


def _order_and_turns(index: int) -> tuple[int, int]:
    """Return the radial order n, and |m|, of a single index."""
    order = (isqrt(8 * index + 1) - 1) // 2
    return order, abs(2 * index - order * (order + 2))


def _term(index: int, squared: Array, turned: npt.NDArray[np.complex128]) -> Array:
    """Return Z_j as a polynomial in x and y, without angles.

    Args:
        index: ANSI's index.
        squared: x^2 + y^2 of the points.
        turned: (x + i y)^|m|, whose real part is r^|m| cos(|m| theta).
    """
    order, m = _order_and_turns(index)
    radial = np.zeros_like(squared)
    for k in range((order - m) // 2 + 1):
        weight = (-1) ** k * factorial(order - k)
        weight /= factorial(k) * factorial((order + m) // 2 - k) * factorial((order - m) // 2 - k)
        radial += weight * squared ** ((order - m) // 2 - k)
    even = 2 * index >= order * (order + 2)
    norm = np.sqrt(order + 1.0) if m == 0 else np.sqrt(2.0 * (order + 1.0))
    result: Array = norm * radial * (turned.real if even else turned.imag)
    return result
