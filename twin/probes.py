"""Probe patterns that tell the alignment parameters apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def smooth_phases(count: int, shape: tuple[int, int], strength_rad: float, seed: int) -> Tensor:
    """Return random smooth phases (count, h, w) with a standard deviation of `strength_rad`.

    White noise through a Gaussian of a tenth of the patch: beams are bent, not scattered, so that
    the twin's error grows gently with each parameter's.

    Args:
        count: number of probes.
        shape: (h, w) of the patch.
        strength_rad: standard deviation.
        seed: of the random numbers.
    """
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, *shape, generator=rng)
    rows = torch.fft.fftfreq(shape[0])[:, None] * shape[0]
    columns = torch.fft.rfftfreq(shape[1])[None, :] * shape[1]
    gaussian = torch.exp(-(rows.square() + columns.square()) / (2 * 2.5**2))
    smooth = torch.fft.irfft2(torch.fft.rfft2(noise) * gaussian, s=shape)
    result: Tensor = strength_rad * smooth / smooth.std((1, 2), keepdim=True)
    return result


def block_phases(count: int, shape: tuple[int, int], block_px: int, seed: int) -> Tensor:
    """Return blocks of block_px x block_px pixels with phases anywhere in a turn, (count, h, w).

    Args:
        count: number of probes.
        shape: (h, w) of the patch.
        block_px: side of a block.
        seed: of the random numbers.
    """
    rng = torch.Generator().manual_seed(seed)
    height, width = shape
    blocks = torch.rand(count, -(-height // block_px), -(-width // block_px), generator=rng)
    whole = blocks.repeat_interleave(block_px, 1).repeat_interleave(block_px, 2)
    return 2.0 * math.pi * whole[:, :height, :width]


def square_phases(count: int, shape: tuple[int, int], squares: int, seed: int) -> Tensor:
    """Return zero phase with `squares` random squares of phase pi each, (count, h, w): the paper.

    Args:
        count: number of probes.
        shape: (h, w) of the patch.
        squares: number of squares of each probe.
        seed: of the random numbers.
    """
    rng = torch.Generator().manual_seed(seed)
    phases = torch.zeros(count, *shape)
    for phase in phases:
        for _ in range(squares):
            side = int(torch.randint(shape[0] // 10, shape[0] // 4, (1,), generator=rng))
            top = int(torch.randint(0, shape[0] - side, (1,), generator=rng))
            left = int(torch.randint(0, shape[1] - side, (1,), generator=rng))
            phase[top : top + side, left : left + side] = math.pi
    return phases
