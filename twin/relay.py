"""The relay that images the output plane on the camera: its aberrations and its aperture."""

from __future__ import annotations

import torch
from torch import Tensor

from twin.zernike import zernike

TERMS = (3, *range(5, 15))
"""Astigmatism, coma, trefoil and the fourth order. Tilt is a shift of the image, defocus a distance."""


RIM = 0.04


def aberration_modes(shape: tuple[int, int], samples: int) -> Tensor:
    """Return aberrations (len(TERMS), H, W) on the FFT's axes; r = 1 at sine lambda / (2 pitch).

    That is the steepest light that a grid of one sample a pixel carries.
    """
    y, x = (2.0 * samples * torch.fft.fftfreq(size, dtype=torch.float64) for size in shape)
    return zernike(TERMS, *torch.meshgrid(y, x, indexing="ij"))


def aperture(
    shape: tuple[int, int], pitch_m: float, wavelength_m: float, numerical_aperture: float
) -> Tensor:
    """Return 1 for light that the relay takes, 0 beyond, (H, W) on the FFT's axes; the rim is RIM wide.

    Args:
        shape: (H, W) of the padded grid.
        pitch_m: of its samples.
        wavelength_m: of the light.
        numerical_aperture: sine of the steepest angle that passes; 0: open.
    """
    if numerical_aperture <= 0.0:
        return torch.ones(shape, dtype=torch.float64)
    y, x = (torch.fft.fftfreq(size, pitch_m, dtype=torch.float64) for size in shape)
    sine = wavelength_m * torch.hypot(y[:, None], x[None, :])
    return ((1.0 - sine / numerical_aperture) / RIM + 0.5).clamp(0.0, 1.0)
