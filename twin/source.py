"""The beam as it reaches the input plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from twin.propagation import propagate

ORDERS = tuple((order - y, y) for order in (2, 3, 4) for y in range(order + 1))
"""Hermite-Gauss orders (x, y) beside the Gaussian; its centre and its tilt make those of first order."""
EDGE_SOFTNESS_PX = 0.55


def gaussian(x_m: Tensor, y_m: Tensor, waist_m: Tensor | float) -> Tensor:
    """Return the amplitude exp(-r^2 / w^2), 1 in the middle.

    Args:
        x_m: of the points.
        y_m: of the points.
        waist_m: 1/e^2 radius of the intensity.
    """
    return torch.exp(-(x_m.square() + y_m.square()) / waist_m**2)


def modes(x_m: Tensor, y_m: Tensor, waist_m: float) -> Tensor:
    """Return what the Gaussian is multiplied by in each of the modes ORDERS, all of one energy, (M, h, w).

    H_n(sqrt(2) x / w) / sqrt(2^n n!), the same for y (Siegman, Lasers, 16.4).

    Args:
        x_m: of the points.
        y_m: of the points.
        waist_m: 1/e^2 radius of the intensity.
    """
    along_x, along_y = (
        _hermite(max(max(o) for o in ORDERS), at_m / waist_m) for at_m in (x_m, y_m)
    )
    return torch.stack([along_x[x] * along_y[y] for x, y in ORDERS])


def _hermite(highest: int, u: Tensor) -> list[Tensor]:
    """Return the orders 0 ... highest, normalised, by their recurrence."""
    found = [torch.ones_like(u), 2.0 * u]
    for n in range(1, highest):
        step = 2.0 * u * found[n] - math.sqrt(n) * found[n - 1]
        found.append(step / math.sqrt(n + 1))
    return found


def structure(modes: Tensor, percent: Tensor) -> Tensor:
    """Return what a real beam is beside a Gaussian, (h, w) complex: ellipticity, higher modes (M2 > 1).

    1 + sum_m c_m H_m. percent: (M, 2), real and imaginary part of c.
    """
    real, imaginary = torch.tensordot(percent.double().T / 100.0, modes, dims=1)
    return torch.complex(1.0 + real, imaginary)


def window_ghost(ramp: tuple[Tensor, Tensor], angles_mrad: Tensor, percent: Tensor) -> Tensor:
    """Return the beam and its double reflection in a window, 1 + g exp(j k (x sin ax + y sin ay)), (h, w).

    Args:
        ramp: k x (1, w) and k y (h, 1), float64.
        angles_mrad: (ax, ay).
        percent: real and imaginary part of g.
    """
    sines = (angles_mrad.double() * 1e-3).sin()
    phase = ramp[0] * sines[0] + ramp[1] * sines[1]
    amplitude = torch.complex(*(percent.double() / 100.0))
    return 1.0 + amplitude * torch.polar(torch.ones_like(phase), phase)


def past_mirror_edge(source: Tensor, edge_px: Tensor, samples: int, transfer: Tensor) -> Tensor:
    """Return the complex field (S h, S w) behind an edge at the left, one mirror distance earlier.

    The edge reaches edge_px into the patch. What it blocks is propagated and taken away (Babinet).

    Args:
        source: field without the edge, (S h, S w).
        edge_px: how far the edge reaches into the patch.
        samples: of the field for each pixel and axis.
        transfer: from the mirror to the SLM, on the padded grid.
    """
    place_px = (torch.arange(source.shape[-1], device=source.device) + 0.5) / samples
    blocked = 0.5 * torch.erfc((place_px - edge_px) / EDGE_SOFTNESS_PX)
    return source - propagate(source * blocked, transfer)
