"""The light that each pixel of the last patch sends to one point behind it, all other patches flat."""

from __future__ import annotations

import math

import torch
from torch import Tensor, fft

from twin.digital_twin import DigitalTwin, Elements
from twin.propagation import propagate


def spot_field(twin: DigitalTwin, lens_rad: Tensor) -> Tensor:
    """Return what each pixel of the last patch adds to the field in the output plane's middle, (h, w).

    Complex128. Through a lens that focuses there all add up in phase, but for what bends the wavefront:
    the phase is what an interferometer of super-pixels measures.

    Args:
        twin: with one sample a pixel.
        lens_rad: (h, w), phase on the last patch.
    """
    with torch.no_grad():
        elements = twin.elements()
        arriving = elements.source
        for plane in elements.planes[:-1]:
            arriving = propagate(arriving, elements.gap) * plane
        arriving = propagate(arriving, elements.gap) * elements.planes[-1]
        to_middle = _to_middle(elements, twin.geometry.shape)
        lens = torch.polar(torch.ones_like(lens_rad), lens_rad)
        return arriving.to(torch.complex128) * lens * to_middle


def _to_middle(elements: Elements, shape: tuple[int, int]) -> Tensor:
    """Return the field in the output plane's middle per unit of field at each pixel, (h, w)."""
    # The impulse response from p to the middle m is that of m - p: the transfer function at -k.
    mirrored = torch.roll(torch.flip(elements.way_out, (-2, -1)), (1, 1), (-2, -1))
    ramps = [
        torch.polar(
            torch.ones(n, dtype=torch.float64),
            -2.0 * math.pi * (size - 1) / 2.0 * fft.fftfreq(n, dtype=torch.float64),
        )
        for n, size in zip(mirrored.shape, shape, strict=True)
    ]
    spectrum = mirrored.to(torch.complex128) * ramps[0][:, None] * ramps[1][None, :]
    height, width = shape
    field: Tensor = fft.ifft2(spectrum)[:height, :width]
    return field
