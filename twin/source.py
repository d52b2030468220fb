"""The beam as it reaches the input plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from twin.propagation import propagate
from twin.zernike import zernike

AMPLITUDE_TERMS = (3, *range(5, 15))
"""Zernike terms up to the fourth order; the centre of the beam makes those of first order, its waist
the fourth (defocus)."""
PHASE_TERMS = range(6, 15)
"""The beam's tilt makes the phase's first order, the backplane of the input patch its second."""
EDGE_SOFTNESS_PX = 0.55
NO_EDGE_PX = -5.0
"""An edge so far outside the patch shades nothing."""


def gaussian(x_m: Tensor, y_m: Tensor, waist_m: Tensor | float) -> Tensor:
    """Amplitude exp(-r^2 / w^2), 1 in the middle; waist_m: 1/e^2 radius of the intensity."""
    return torch.exp(-(x_m.square() + y_m.square()) / waist_m**2)


def modes(height: int, width: int) -> Tensor:
    """(14, h, w): Zernike terms 1 ... 14 with r = 1 at the corners of a patch, float64."""
    half = math.hypot(height, width) / 2.0
    y = (torch.arange(height, dtype=torch.float64) - (height - 1) / 2) / half
    x = (torch.arange(width, dtype=torch.float64) - (width - 1) / 2) / half
    return zernike(range(1, 15), *torch.meshgrid(y, x, indexing="ij"))


def structure(modes: Tensor, amplitude_percent: Tensor, phase_rad: Tensor) -> Tensor:
    """What a real beam is beside a Gaussian, (h, w) complex: ellipticity, higher modes, windows.

    (1 + sum_j a_j Z_j) exp(j sum_j p_j Z_j), j over AMPLITUDE_TERMS and PHASE_TERMS.
    """
    of_amplitude = modes[[j - 1 for j in AMPLITUDE_TERMS]]
    of_phase = modes[[j - 1 for j in PHASE_TERMS]]
    amplitude = 1.0 + torch.tensordot(amplitude_percent.double() / 100.0, of_amplitude, dims=1)
    return torch.polar(amplitude.abs(), torch.tensordot(phase_rad.double(), of_phase, dims=1))


def window_ghost(ramp: tuple[Tensor, Tensor], angles_mrad: Tensor, percent: Tensor) -> Tensor:
    """1 + g exp(j k (x sin ax + y sin ay)), (h, w): the beam and its double reflection in a window.

    ramp: k x (1, w) and k y (h, 1), float64. angles_mrad (2,): (ax, ay). percent (2,): real and
    imaginary part of g.
    """
    sines = (angles_mrad.double() * 1e-3).sin()
    phase = ramp[0] * sines[0] + ramp[1] * sines[1]
    amplitude = torch.complex(*(percent.double() / 100.0))
    return 1.0 + amplitude * torch.polar(torch.ones_like(phase), phase)


def past_mirror_edge(source: Tensor, edge_px: Tensor, samples: int, transfer: Tensor) -> Tensor:
    """Complex field (S h, S w) behind an edge at the left, one mirror distance earlier.

    The edge reaches edge_px into the patch. What it blocks is propagated and taken away (Babinet).
    transfer: from the mirror to the SLM, on the padded grid.
    """
    place_px = (torch.arange(source.shape[-1]) + 0.5) / samples
    blocked = 0.5 * torch.erfc((place_px - edge_px) / EDGE_SOFTNESS_PX)
    return source - propagate(source * blocked, transfer)
