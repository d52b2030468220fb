"""What a pixelated liquid crystal does to light: fringing fields and zero order.

Its two unknowns, both elements of the twin: `crosstalk_px`, the width of the fringing field that blurs
the phase from pixel to pixel (Persson et al., Opt. Express 20, 22334 (2012)), and `zero_order_percent`,
the amplitude that the dead space reflects unmodulated.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

FINER = 2
"""The crystal is followed with so many points a sample and axis (four made no difference)."""
REACH_PX = 2
"""Fringing fields end here: three standard deviations of 0.6 px."""
LOBES = 2
"""Half width of the low pass, in samples."""


def reflection(
    phases: Tensor,
    crosstalk_px: Tensor,
    zero_order_percent: Tensor,
    samples: int = 1,
    sharp: bool | None = None,
) -> Tensor:
    """Return the complex reflection (..., S h, S w) of patches with phases (..., h, w) in the crystal, rad.

    Where the phase falls from a turn back to 0 (`twin.phase_response.crystal_phase`), the fringing field
    makes a flank of some pixels' width. Light diffracted by what is finer than the samples
    leaves the bench and is filtered out.

    Args:
        phases: in the crystal, (..., h, w), rad.
        crosstalk_px: width of the fringing field; 0: point samples of sharp pixels, and fast.
        zero_order_percent: amplitude of the zero order.
        samples: of the field for each pixel and axis.
        sharp: whether the width is 0; it is looked at if None, for which a GPU is waited for.
    """
    if sharp is None:
        sharp = float(crosstalk_px.detach()) == 0.0
    if sharp:
        points = phases
        if samples > 1:
            points = phases.repeat_interleave(samples, -2).repeat_interleave(samples, -1)
        field = torch.complex(points.cos(), points.sin())
    else:
        field = _blurred(phases, crosstalk_px, samples)
    return field + zero_order_percent / 100.0


def _blurred(phases: Tensor, crosstalk_px: Tensor, samples: int) -> Tensor:
    height, width = phases.shape[-2:]
    crystal = phases.reshape(-1, 1, height, width)
    weights = _fringing(crosstalk_px, FINER * samples).to(phases.dtype)
    fine = _finer(_finer(crystal, weights).mT, weights).mT
    weights = _low_pass(phases.device).to(phases.dtype)
    real, imaginary = (
        _coarser(_coarser(part, weights).mT, weights).mT for part in (fine.cos(), fine.sin())
    )
    shape = (*phases.shape[:-2], samples * height, samples * width)
    return torch.complex(real, imaginary).reshape(shape)


def _fringing(sigma_px: Tensor, points: int) -> Tensor:
    """Return the neighbours' share in each point of a pixel, (points, 1, 2 REACH_PX + 1, 1).

    A square pixel under a Gaussian: half the difference of two error functions.
    """
    device = sigma_px.device
    place = (torch.arange(points, dtype=torch.float64, device=device) + 0.5) / points - 0.5
    distance = place[:, None] - torch.arange(-REACH_PX, REACH_PX + 1, device=device)[None, :]
    width = math.sqrt(2.0) * sigma_px.abs().clamp_min(1e-3)
    share = torch.erf((distance + 0.5) / width) - torch.erf((distance - 0.5) / width)
    return (share / share.sum(1, keepdim=True))[:, None, :, None]


def _low_pass(device: torch.device) -> Tensor:
    """Return a sinc under a cosine bell, from FINER points to one sample, (1, 1, 2 LOBES FINER, 1)."""
    place = (
        torch.arange(-LOBES * FINER, LOBES * FINER, dtype=torch.float64, device=device) + 0.5
    ) / FINER
    weights = torch.sinc(place) * torch.cos(math.pi * place / (2.0 * LOBES)).square()
    return (weights / weights.sum())[None, None, :, None]


def _finer(rows: Tensor, weights: Tensor) -> Tensor:
    """Return (B, 1, points h, w) from (B, 1, h, w); the pattern goes on beyond its edge."""
    padded = functional.pad(rows, (0, 0, REACH_PX, REACH_PX), mode="replicate")
    points = functional.conv2d(padded, weights)
    return points.transpose(1, 2).flatten(1, 2).unsqueeze(1)


def _coarser(rows: Tensor, weights: Tensor) -> Tensor:
    """Return (B, 1, h, w) from (B, 1, FINER h, w)."""
    before = LOBES * FINER - FINER // 2
    after = (2 * LOBES - 1) * FINER - before
    padded = functional.pad(rows, (0, 0, before, after), mode="replicate")
    return functional.conv2d(padded, weights, stride=(FINER, 1))
