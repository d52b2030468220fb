"""Cells with soft edges: what a pixel is written as, and read from."""

from __future__ import annotations

import torch
from torch import Tensor

NARROWEST = 1e-3
"""Pixels: below, a spot is its own cell and nothing else."""


def softened(images: Tensor, width: Tensor) -> Tensor:
    """Return images (B, H, W) whose pixels are Gaussian spots of rms `width` pixels; the same shape.

    K_y image K_x' with K_ij ~ exp(-(i - j)^2 / (2 width^2)), each row of sum 1, so that a uniform image
    stays as it is up to its border. width: a number, may require a gradient; 0 changes nothing.
    """
    rows, columns = (_kernel(size, width) for size in images.shape[-2:])
    return rows @ images @ columns.mT


def _kernel(size: int, width: Tensor) -> Tensor:
    place = torch.arange(size, dtype=width.dtype, device=width.device)
    away = (place[:, None] - place).square()
    weights = torch.exp(-away / (2.0 * width.square() + NARROWEST**2))
    return weights / weights.sum(1, keepdim=True)
