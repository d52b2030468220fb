"""The aberrations of the relay that images the output plane on the camera."""

from __future__ import annotations

import torch
from torch import Tensor

from twin.zernike import zernike

TERMS = (3, *range(5, 15))
"""Astigmatism, coma, trefoil and the fourth order. Tilt is a shift of the image, defocus a distance."""


def aberration_modes(shape: tuple[int, int], samples: int) -> Tensor:
    """(len(TERMS), H, W) on the FFT's axes; r = 1 where the sine is lambda / (2 pixel pitch).

    That is the steepest light that a grid of one sample a pixel carries.
    """
    y, x = (2.0 * samples * torch.fft.fftfreq(size, dtype=torch.float64) for size in shape)
    return zernike(TERMS, *torch.meshgrid(y, x, indexing="ij"))
