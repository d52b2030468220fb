"""Zernike polynomials, single index of ANSI Z80.28, unit rms over the unit disc."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def zernike(indices: range | tuple[int, ...], y: Tensor, x: Tensor) -> Tensor:
    """Return polynomials (len(indices), ...) at places (y, x), also beyond the disc; float64.

    Z_j with j = (n (n + 2) + m) / 2 is sqrt(n + 1) R_n^|m|(r), and for m != 0 that times
    sqrt(2) cos(m theta) or, for negative m, sqrt(2) sin(|m| theta).

    Args:
        indices: ANSI indices j.
        y: of the points.
        x: of the points.
    """
    place = torch.complex(x, y)
    return torch.stack([_one(j, place) for j in indices])


def _one(index: int, place: Tensor) -> Tensor:
    n = (math.isqrt(8 * index + 1) - 1) // 2
    m = 2 * index - n * (n + 2)
    squared = place.real.square() + place.imag.square()
    radial = torch.zeros_like(squared)
    # R_n^m / r^m in powers of r^2; r^m exp(i m theta) is the m-th power of x + iy.
    for k in range((n - abs(m)) // 2 + 1):
        choose = math.comb(n - k, k) * math.comb(n - 2 * k, (n - abs(m)) // 2 - k)
        radial += (-1) ** k * choose * squared ** ((n - abs(m)) // 2 - k)
    turned = place ** abs(m)
    if m == 0:
        return math.sqrt(n + 1.0) * radial
    return math.sqrt(2.0 * (n + 1.0)) * radial * (turned.imag if m < 0 else turned.real)
