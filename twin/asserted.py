"""What the bench file asserts and no frame can check: the wavelength and the SLM's pitch.

Frames show diffraction, which depends on wavelength * gap / pitch^2, and slopes of phase over pixels, which
are angle * pitch / wavelength. So an error of wavelength or pitch is answered by gap, angles and waist, and
the light stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.parameters import ALIGNMENT_PARAMETERS


@dataclass(frozen=True, slots=True)
class AssertedDeviations:
    """Relative standard deviations of what the bench file has of the wavelength and of the SLM's pitch."""

    wavelength: float
    pixel_pitch: float

    @property
    def gap(self) -> float:
        """Return the relative deviation of the gap that follows."""
        return float((self.wavelength**2 + (2.0 * self.pixel_pitch) ** 2) ** 0.5)


def asserted_covariance(twin: DigitalTwin, deviations: AssertedDeviations) -> Tensor:
    """Return the covariance (P, P) of the parameters that the asserted values cause, float64.

    The frames leave it undetermined, so it adds to that of a fit.
    """
    wavelength, pitch = (
        sigma * direction
        for sigma, direction in zip(
            (deviations.wavelength, deviations.pixel_pitch), compensations(twin), strict=True
        )
    )
    return torch.outer(wavelength, wavelength) + torch.outer(pitch, pitch)


def compensations(twin: DigitalTwin) -> tuple[Tensor, Tensor]:
    """Return how the parameters (P,) answer a relative error of wavelength and of pitch, float64.

    To first order, and for light near the axis: the images stay as they were. A percentage is a deviation
    from the data sheet's value, and the whole of both is what scales.
    """
    wavelength, pitch = [], []
    for record in ALIGNMENT_PARAMETERS:
        whole = twin.get_parameter(record.name).detach().double().flatten() + record.of_whole
        wavelength.append(record.goes_with[0] * whole)
        pitch.append(record.goes_with[1] * whole)
    return torch.cat(wavelength), torch.cat(pitch)


def wavelength_gap_px2(twin: DigitalTwin) -> float:
    """Return wavelength * path between two patches / pitch^2: what frames tell of the gap."""
    g = twin.geometry
    path_m = 2.0 * g.z_gap_m * (1.0 + float(twin.z_gap_percent) / 100.0)
    return g.wavelength_m * path_m / g.pixel_pitch_m**2
