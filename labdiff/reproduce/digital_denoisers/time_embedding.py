"""The embedding of the timestep in a digital denoiser."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LONGEST_PERIOD = 10_000.0
"""Ratio of the largest to the smallest rate."""


class TimeEmbedding(nn.Module):
    """sin(w_k t) and cos(w_k t), w_k from 1 down to 1 / 10,000 in equal ratios (Ho 2020, appendix B).

    dimensions: their number, even.
    """

    rates: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        if dimensions < 4 or dimensions % 2:
            raise ValueError(f"time embedding: {dimensions} dimensions; needs an even number >= 4")
        exponents = torch.linspace(0.0, 1.0, dimensions // 2, dtype=torch.float64)
        rates = torch.exp(-math.log(LONGEST_PERIOD) * exponents).float()
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        """Return the embedding (B, dimensions) of t (B,)."""
        angles = t.float()[:, None] * self.rates
        return torch.cat([angles.sin(), angles.cos()], dim=1)
