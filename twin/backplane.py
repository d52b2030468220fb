"""The shape of the liquid crystal's mirror behind each patch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from twin.zernike import zernike

TERMS = range(3, 6)
"""Oblique astigmatism, defocus, astigmatism. What is of first order is a tilt."""


def curvature_modes(height: int, width: int) -> Tensor:
    """Return Zernike polynomials with r = 1 at the corners of a patch, (len(TERMS), h, w), float64."""
    half = math.hypot(height, width) / 2.0
    y = (torch.arange(height, dtype=torch.float64) - (height - 1) / 2) / half
    x = (torch.arange(width, dtype=torch.float64) - (width - 1) / 2) / half
    return zernike(TERMS, *torch.meshgrid(y, x, indexing="ij"))
