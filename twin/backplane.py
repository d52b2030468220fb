"""The shape of the liquid crystal's mirror behind each patch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TERMS = 3


def curvature_modes(height: int, width: int) -> Tensor:
    """(TERMS, h, w): oblique astigmatism, defocus and astigmatism, float64.

    sqrt(6) 2xy, sqrt(3) (2 r^2 - 1) and sqrt(6) (x^2 - y^2), with r = 1 at the corners: the second
    order of Zernike's polynomials (ANSI Z80.28, terms 3 to 5). What is of first order is a tilt.
    """
    half = math.hypot(height, width) / 2.0
    y = ((torch.arange(height, dtype=torch.float64) - (height - 1) / 2) / half)[:, None]
    x = ((torch.arange(width, dtype=torch.float64) - (width - 1) / 2) / half)[None, :]
    return torch.stack(
        [
            math.sqrt(6.0) * 2.0 * x * y,
            math.sqrt(3.0) * (2.0 * (x.square() + y.square()) - 1.0),
            math.sqrt(6.0) * (x.square() - y.square()),
        ]
    )
