"""The laser beam on the input plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.polynomial import hermite
from scipy.special import erfc

from mock_hardware.geometry import MockGeometry
from mock_hardware.optics.propagation import AngularSpectrum
from mock_hardware.truth import BEAM_MODES, Truth

Array = npt.NDArray[np.float64]
EDGE_SOFTNESS_UM = 5.0
"""Softness of the mirror's edge (chamfer)."""


def beam_field(
    geometry: MockGeometry, truth: Truth, y_m: Array, x_m: Array
) -> npt.NDArray[np.complex64]:
    """Return the field (H, W) at points y_m (H, 1), x_m (1, W); mean |U|^2 = 1 for the nominal beam.

    An elliptical, displaced Gaussian with higher Hermite-Gauss modes (amplitudes `beam_modes`), times
    1 + g exp(j (k (x ax + y ay) + phi)) from a window's double reflection. The mirror's edge clips it
    one mirror distance before it reaches the SLM: diffraction at a half plane.

    Args:
        geometry: The nominal beam and wavelength.
        truth: The beam's hidden errors.
        y_m: Positions along the columns from the patch's centre, (H, 1).
        x_m: Positions along the rows from the patch's centre, (1, W).
    """
    nominal = np.exp(-(x_m**2 + y_m**2) / (geometry.waist_mm * 1e-3) ** 2)
    wx, wy = truth.waists_mm * 1e-3
    x0, y0 = truth.beam_centre_um * 1e-6
    u, v = (x_m - x0) / wx, (y_m - y0) / wy
    gaussian = np.exp(-(u**2 + v**2))
    field = gaussian.astype(np.complex128)
    for (nx, ny), amplitude in zip(BEAM_MODES, truth.beam_modes, strict=True):
        if amplitude:
            field += amplitude * _hermite(nx, u) * _hermite(ny, v) * gaussian
    k = 2e9 * np.pi / (geometry.wavelength_nm + truth.wavelength_off_nm)
    strength, ax, ay, phase = truth.ghost
    field *= 1.0 + strength * np.exp(1j * (k * (x_m * ax + y_m * ay) + phase))
    if truth.mirror_edge > 0.0:
        field = _clip(field, truth, geometry, y_m, x_m)
    scaled: npt.NDArray[np.complex64] = field / np.sqrt(np.mean(nominal**2))
    return scaled.astype(np.complex64)


def _hermite(order: int, u: Array) -> Array:
    """Return H_n(sqrt(2) u) / sqrt(2^n n!): modes of equal energy."""
    weights = np.zeros(order + 1)
    weights[order] = 1.0
    norm = np.sqrt(2.0**order * (2.0 if order == 2 else 1.0))
    result: Array = hermite.hermval(np.sqrt(2.0) * u, weights) / norm
    return result


def _clip(
    field: npt.NDArray[np.complex128], truth: Truth, geometry: MockGeometry, y_m: Array, x_m: Array
) -> npt.NDArray[np.complex128]:
    """Return the field behind an edge at the patch's left, one mirror distance earlier (Babinet)."""
    pitch_m = float(x_m[0, 1] - x_m[0, 0])
    edge_m = x_m[0, 0] + truth.mirror_edge * (x_m[0, -1] - x_m[0, 0])
    blocked = 0.5 * erfc((x_m - edge_m) / (EDGE_SOFTNESS_UM * 1e-6))
    z_m, wavelength_m = (
        truth.z_gap_mm * 1e-3,
        (geometry.wavelength_nm + truth.wavelength_off_nm) * 1e-9,
    )
    height, width = field.shape
    propagate = AngularSpectrum((height, width), pitch_m, wavelength_m, z_m)
    return field - propagate((field * blocked).astype(np.complex64))
