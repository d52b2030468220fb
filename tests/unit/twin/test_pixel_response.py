"""The fringing field of one sample a pixel: as wide as that of a profile which is followed more finely."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from twin.pixel_response import reflection
from twin.probes import block_phases, smooth_phases

SIDE, BAND = 48, 0.8
FINE = 4
"""Samples a pixel of the reference, each of two points."""


def spectrum(field: Tensor, samples: int) -> Tensor:
    """Return the part of the light that one sample a pixel carries well."""
    whole = torch.fft.fftshift(torch.fft.fft2(field)) / samples**2
    first = (SIDE * samples - SIDE) // 2
    carried = whole[first : first + SIDE, first : first + SIDE]
    share = (torch.arange(SIDE) - SIDE // 2).abs() / (SIDE / 2) <= BAND
    return carried * share[:, None] * share[None, :]


def nearest_width(phases: Tensor, true_px: float) -> float:
    """Return the width at which one sample a pixel is nearest to a fine profile of a true width."""
    zero = torch.tensor(0.0)
    fine = spectrum(reflection(phases[None], torch.tensor(true_px), zero, FINE)[0], FINE)
    widths = torch.arange(true_px - 0.06, true_px + 0.06, 0.005)
    misses = [
        float((spectrum(reflection(phases[None], width, zero)[0], 1) - fine).abs().square().sum())
        for width in widths
    ]
    return float(widths[misses.index(min(misses))])


@pytest.mark.parametrize("true_px", [0.15, 0.2, 0.25, 0.35])
def test_one_sample_a_pixel_is_nearest_at_the_true_width(true_px: float) -> None:
    blocks = block_phases(1, (SIDE, SIDE), 8, 3)[0]
    steep = smooth_phases(1, (SIDE, SIDE), 2.5, 1)[0].remainder(2.0 * math.pi)
    for phases in (blocks, steep):
        assert nearest_width(phases, true_px) == pytest.approx(true_px, abs=0.012)
