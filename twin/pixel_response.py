"""What a pixelated liquid crystal does to light: fringing fields and zero order.

Its two unknowns, both elements of the twin: `crosstalk_px`, the width of the fringing field that blurs
the phase from pixel to pixel (Persson et al., Opt. Express 20, 22334 (2012)), and `zero_order_percent`,
the amplitude that the dead space reflects unmodulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

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
    """Return the field of blurred phases without what is finer than its samples, by products of matrices.

    As products they take a third of the time of convolutions with as few weights.
    """
    shares = _fringing(crosstalk_px, FINER * samples).to(phases.dtype)
    fine = _along_both(phases, lambda count: _finer(shares, count))
    real, imaginary = (
        _along_both(part, lambda count: _coarser(count, phases.dtype, phases.device))
        for part in (fine.cos(), fine.sin())
    )
    return torch.complex(real, imaginary)


def _along_both(values: Tensor, matrix: Callable[[int], Tensor]) -> Tensor:
    """Return the values (..., h, w) times the matrix for h along rows, and that for w along columns."""
    height, width = values.shape[-2:]
    rows = matrix(height)
    columns = rows if width == height else matrix(width)
    return rows @ (values @ columns.mT)


def _fringing(sigma_px: Tensor, points: int) -> Tensor:
    """Return the neighbours' share in each point of a pixel, (points, 2 REACH_PX + 1).

    A square pixel under a Gaussian: half the difference of two error functions.
    """
    device = sigma_px.device
    place = (torch.arange(points, dtype=torch.float64, device=device) + 0.5) / points - 0.5
    distance = place[:, None] - torch.arange(-REACH_PX, REACH_PX + 1, device=device)[None, :]
    width = math.sqrt(2.0) * sigma_px.abs().clamp_min(1e-3)
    share = torch.erf((distance + 0.5) / width) - torch.erf((distance - 0.5) / width)
    return share / share.sum(1, keepdim=True)


def _finer(shares: Tensor, count: int) -> Tensor:
    """Return the matrix (points count, count) from pixels to points; the pattern goes on at its edge."""
    near = _neighbours(count, shares.dtype, shares.device)
    points = (shares @ near.flatten(1)).view(-1, count, count)
    return points.transpose(0, 1).reshape(-1, count)


@cache
def _neighbours(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a matrix (count, count) for each neighbour that picks it, (2 REACH_PX + 1, count, count)."""
    offsets = torch.arange(-REACH_PX, REACH_PX + 1, device=device)
    neighbour = (torch.arange(count, device=device) + offsets[:, None]).clamp(0, count - 1)
    return functional.one_hot(neighbour, count).to(dtype)


@cache
def _coarser(points: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (points / FINER, points) of a low pass: a sinc under a cosine bell."""
    taps = torch.arange(-LOBES * FINER, LOBES * FINER, dtype=torch.float64, device=device)
    place = (taps + 0.5) / FINER
    weights = torch.sinc(place) * torch.cos(math.pi * place / (2.0 * LOBES)).square()
    middles = FINER * torch.arange(points // FINER, device=device) + FINER // 2
    point = (middles[:, None] + taps.long()).clamp(0, points - 1)
    found = torch.zeros(len(middles), points, dtype=torch.float64, device=device)
    found.scatter_add_(1, point, (weights / weights.sum()).expand(len(middles), -1).contiguous())
    return found.to(dtype)
