"""The beam as it reaches the input plane."""

from __future__ import annotations

import torch
from torch import Tensor

from twin.propagation import propagate

EDGE_SOFTNESS_PX = 0.55
NO_EDGE_PX = -5.0
"""An edge so far outside the patch shades nothing."""


def gaussian(x_m: Tensor, y_m: Tensor, waist_m: Tensor | float) -> Tensor:
    """Amplitude exp(-r^2 / w^2), 1 in the middle; waist_m: 1/e^2 radius of the intensity."""
    return torch.exp(-(x_m.square() + y_m.square()) / waist_m**2)


def past_mirror_edge(source: Tensor, edge_px: Tensor, samples: int, transfer: Tensor) -> Tensor:
    """Complex field (S h, S w) behind an edge at the left, one mirror distance earlier.

    The edge reaches edge_px into the patch. What it blocks is propagated and taken away (Babinet).
    transfer: from the mirror to the SLM, on the padded grid.
    """
    place_px = (torch.arange(source.shape[-1]) + 0.5) / samples
    blocked = 0.5 * torch.erfc((place_px - edge_px) / EDGE_SOFTNESS_PX)
    return source - propagate(source * blocked, transfer)
