"""From the phase asked for to the phase in the crystal, as far as the driver's table is wrong."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def crystal_phase(
    phases: Tensor, stroke_percent: Tensor, bend_rad: Tensor, unbent: bool | None = None
) -> Tensor:
    """Return the phase (..., h, w) in the crystal, radians.

    The driver wraps what is asked for to 0 ... 2 pi and looks its grey level up in a table that was
    measured on one place of the panel. bend_rad (4,):
    sum_k b_k sin(k phi / 2), the table's own error, from one half wave to two whole waves over a turn.
    What stands in the crystal may then be a little less than 0 or more than 2 pi.

    Args:
        phases: as requested, (..., h, w), rad.
        stroke_percent: (..., 3): mean error of the stroke over a patch, and its change from the
            middle to the edge along x and y.
        bend_rad: (4,), weights of the bend.
        unbent: whether stroke and bend are 0; they are looked at if None, for which a GPU is waited for.
    """
    wrapped = phases - 2.0 * math.pi * (phases.detach() / (2.0 * math.pi)).floor()
    learnt = stroke_percent.requires_grad or bend_rad.requires_grad
    if not learnt:
        if unbent is None:
            unbent = not bool(stroke_percent.any() | bend_rad.any())
        if unbent:
            return wrapped
    bent = wrapped
    for wave, bend in enumerate(bend_rad, start=1):
        bent = bent + bend * torch.sin(0.5 * wave * wrapped)
    height, width = phases.shape[-2:]
    y = torch.linspace(-1, 1, height, dtype=phases.dtype, device=phases.device)[:, None]
    x = torch.linspace(-1, 1, width, dtype=phases.dtype, device=phases.device)[None, :]
    mean, along_x, along_y = (stroke_percent[..., i, None, None] for i in range(3))
    return bent * (1.0 + (mean + along_x * x + along_y * y) / 100.0)
