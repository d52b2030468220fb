"""Free-space propagation by the split-step Fourier method."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BAND_TAPER = 0.15
"""Share of the band, at its edge, over which the transfer function fades out.

A band with a hard edge rings over the whole grid: 4e-2 of the field wraps around (random phase, 480
samples for 300 over 34.2 mm), under a raised cosine over 0.1 of the band 2e-3, and so 9e-4."""


def padded_size(
    size: int, pitch_m: float, wavelength_m: float, distance_m: float, steepest: float = 1.0
) -> int:
    """Return the size of a grid on which light from a patch of `size` pixels cannot wrap into the patch.

    The grid carries angles up to asin(lambda / 2 pitch), so light moves at most
    distance * tan of that; half the padding is enough, because what wraps falls into the padding
    first. Rounded up to a product of 2, 3 and 5, which the FFT likes. Pixels.
    The error that is left, in the worst case (random phase in every pixel): 1e-3 of the field
    (benchmarks/twin_accuracy.py).

    Args:
        size: of the patch, pixels.
        pitch_m: of the pixels.
        wavelength_m: of the light.
        distance_m: of the propagation.
        steepest: sine of the steepest angle that is propagated.
    """
    angle = math.asin(min(wavelength_m / (2.0 * pitch_m), steepest, 0.999))
    wanted = size + math.ceil(distance_m * math.tan(angle) / pitch_m)
    while not _smooth(wanted):
        wanted += 1
    return wanted


def _smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def transfer_function(
    shape: tuple[int, int],
    pitch_m: float,
    wavelength_m: float,
    distance_m: Tensor | float,
    dtype: torch.dtype = torch.complex64,
    steepest: float = 1.0,
) -> Tensor:
    """Return exp(-j dz (kx^2 + ky^2) / (k + sqrt(k^2 - kx^2 - ky^2))) on the FFT's own axis, complex.

    Feit and Fleck, Appl. Opt. 17, 3990 (1988): the angular-spectrum transfer function without its
    carrier exp(j k dz); computed in float64, evanescent waves removed, tapered at the band's edge.

    Args:
        shape: (height, width) of the padded grid.
        pitch_m: of its samples.
        wavelength_m: of the light.
        distance_m: of the propagation; may require a gradient. On its device it is computed.
        dtype: of the result.
        steepest: sine of the steepest angle that is propagated, if the samples can represent more.
    """
    place = distance_m.device if isinstance(distance_m, Tensor) else None
    ky, kx = (
        2.0 * math.pi * torch.fft.fftfreq(size, pitch_m, dtype=torch.float64, device=place)
        for size in shape
    )
    ky, kx = ky[:, None], kx[None, :]
    k = 2.0 * math.pi / wavelength_m
    transverse = kx.square() + ky.square()
    longitudinal = (k * k - transverse).clamp_min(0.0).sqrt()
    phase = -distance_m * transverse / (k + longitudinal)
    edge = min(math.pi / pitch_m, steepest * k)
    weight = _taper(ky, edge) * _taper(kx, edge) * (transverse <= k * k)
    return torch.complex(weight * phase.cos(), weight * phase.sin()).to(dtype)


def _taper(wave_number: Tensor, edge: float) -> Tensor:
    inside = ((edge - wave_number.abs()) / (BAND_TAPER * edge)).clamp(0.0, 1.0)
    # The smoothest step of seventh order: three derivatives vanish at both ends.
    return inside**4 * (35.0 - 84.0 * inside + 70.0 * inside**2 - 20.0 * inside**3)


def propagate(field: Tensor, transfer: Tensor) -> Tensor:
    """Return a field (..., h, w) after the distance of the padded transfer function; cropped to (h, w)."""
    height, width = field.shape[-2:]
    spectrum = torch.fft.fft2(field, s=(transfer.shape[-2], transfer.shape[-1]))
    result: Tensor = torch.fft.ifft2(spectrum * transfer)[..., :height, :width]
    return result
