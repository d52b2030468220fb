"""The mock's propagation against closed forms and a direct Rayleigh-Sommerfeld sum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, bench_geometry, block_phases, nrmse, smooth_phases
from benchmarks.parts import Outcome, Setting
from drivers.types import Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.light_path import LightPath
from mock_hardware.optics.propagation import AngularSpectrum
from mock_hardware.settings import MockSettings
from mock_hardware.truth import draw_truth

Array = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

WAVELENGTH_M, PITCH_M, GAP_M = 850e-9, 9.2e-6, 34.2e-3
K = 2.0 * np.pi / WAVELENGTH_M

Fidelity = tuple[int, float]
"""Samples a pixel and axis, and the sine of the steepest light followed."""
DEFAULT: Fidelity = (MockSettings().samples_per_pixel, MockSettings().steepest)
VALIDATION: Fidelity = (4, 1.0)
FINER: Fidelity = (8, 1.0)


def _axes(size: int, pitch_m: float) -> tuple[Array, Array]:
    axis = (np.arange(size, dtype=np.float64) - (size - 1) / 2.0) * pitch_m
    return axis[:, None], axis[None, :]


def _gaussian(u: Array, z_m: float, rayleigh_m: float) -> Complex:
    """Return one axis of a Gaussian beam without its carrier, paraxial (Siegman, Lasers, ch. 16)."""
    q = 1.0 + 1j * z_m / rayleigh_m
    waist2 = rayleigh_m * WAVELENGTH_M / np.pi
    result: Complex = np.exp(-(u**2) / (waist2 * q)) / np.sqrt(q)
    return result


def gaussian_error(tilt_rad: float = 0.0) -> tuple[float, float]:
    """Return amplitude error over the peak, and phase error in rad where the amplitude is above 1 %.

    A beam tilted by s = sin(tilt) walks by z s / c and spreads as over z / c^3 along the tilt and
    z / c across it, c = cos(tilt): the exact dispersion to second order around the tilt.
    """
    waist_m = 0.3e-3
    y, x = _axes(300, PITCH_M)
    sine, cosine = np.sin(tilt_rad), np.cos(tilt_rad)
    rayleigh_m = np.pi * waist_m**2 / WAVELENGTH_M
    start = np.exp(-(x**2 + y**2) / waist_m**2) * np.exp(1j * K * sine * x)
    got = AngularSpectrum((300, 300), PITCH_M, WAVELENGTH_M, GAP_M)(start.astype(np.complex64))
    along = _gaussian(x - GAP_M * sine / cosine, GAP_M / cosine**3, rayleigh_m)
    across = _gaussian(y, GAP_M / cosine, rayleigh_m)
    exact = across * along * np.exp(1j * K * (sine * x + (cosine - 1.0) * GAP_M))
    amplitude = np.abs(np.abs(got) - np.abs(exact)).max() / np.abs(exact).max()
    bright = np.abs(exact) > 0.01 * np.abs(exact).max()
    phase = np.abs(np.angle(got * exact.conj()))[bright].max()
    return float(amplitude), float(phase)


def aperture_error() -> float:
    """Return the largest error over the peak behind a round hole with a soft rim, along two lines.

    Every sample sends out a spherical wavelet (first Rayleigh-Sommerfeld solution).
    """
    size, pitch_m, distance_m = 160, 4.6e-6, 11.4e-3
    y, x = _axes(size, pitch_m)
    rim = (np.hypot(y, x) - 30 * pitch_m) / (3 * pitch_m)
    hole = 0.5 * (1.0 - np.tanh(rim))
    got = AngularSpectrum((size, size), pitch_m, WAVELENGTH_M, distance_m)(
        hole.astype(np.complex64)
    )
    errors = []
    for rows, columns in ((np.full(size, size // 2), np.arange(size)), (np.arange(size),) * 2):
        exact = np.empty(size, np.complex128)
        for i, (row, column) in enumerate(zip(rows, columns, strict=True)):
            r = np.sqrt((y - y[row]) ** 2 + (x - x[0, column]) ** 2 + distance_m**2)
            wavelet = distance_m / (2 * np.pi * r**3) * (1.0 - 1j * K * r)
            exact[i] = np.sum(hole * wavelet * np.exp(1j * K * (r - distance_m))) * pitch_m**2
        errors.append(np.abs(got[rows, columns] - exact).max() / np.abs(exact).max())
    return float(max(errors))


def energy_error() -> float:
    """Return the relative change of the energy of contained light over five gaps and four smooth phases."""
    y, x = _axes(200, PITCH_M)
    field = np.exp(-(x**2 + y**2) / (0.25e-3) ** 2).astype(np.complex64)
    propagate = AngularSpectrum((200, 200), PITCH_M, WAVELENGTH_M, 11.4e-3)
    before = np.sum(np.abs(field.astype(np.complex128)) ** 2)
    for phase in smooth_phases(4, (200, 200), 1.0, seed=1, width_px=20.0):
        field = propagate(field) * np.exp(1j * phase).astype(np.complex64)
    after = np.sum(np.abs(propagate(field).astype(np.complex128)) ** 2)
    return float(abs(after / before - 1.0))


def fidelity_change(geometry: MockGeometry, fidelity: Fidelity, finer: Fidelity) -> float:
    """Return the NRMSE of the camera image between two fidelities, the worst of two patterns.

    Every effect is on.
    """
    truth = draw_truth(geometry, MockSettings(), 0)
    shape = geometry.patch_shape
    worst = 0.0
    planes = len(geometry.patch_lefts)
    for phases in (
        block_phases(planes, shape, 8, seed=2),
        smooth_phases(planes, shape, 2.0, seed=3),
    ):
        images = []
        for samples, steepest in (fidelity, finer):
            chosen = {"samples_per_pixel": samples, "steepest": steepest}
            path = LightPath(geometry, MockSettings().model_copy(update=chosen), truth)
            images.append(path.image(path.plane(phases), Roi(0, 0, *geometry.camera_shape)))
        worst = max(worst, nrmse(*images))
    return worst


def measure(setting: Setting) -> Outcome:
    """Hold the propagation against each closed form, and fidelities against finer ones."""
    small = setting.amount("patches for the fidelities, px", smoke=48, quick=48, full=100) == 48
    geometry = SMALL if small else bench_geometry("mock")
    validation, finer = (DEFAULT, VALIDATION) if setting.smoke else (VALIDATION, FINER)
    amplitude, phase = gaussian_error()
    tilted_amplitude, tilted_phase = gaussian_error(5e-3)
    claims = [
        claim("Gaussian beam over 34.2 mm: amplitude error", amplitude, "<= 1e-4"),
        claim("Gaussian beam over 34.2 mm: phase error, rad", phase, "<= 1e-4"),
        claim("beam tilted by 5 mrad: amplitude error", tilted_amplitude, "<= 1e-4"),
        claim("beam tilted by 5 mrad: phase error, rad", tilted_phase, "<= 1e-4"),
        claim("aperture against a Rayleigh-Sommerfeld sum", aperture_error(), "<= 1e-3"),
        claim("energy without losses over five gaps", energy_error(), "<= 1e-6"),
        claim(
            f"doubling the validation fidelity ({validation[0]} samples a pixel)",
            fidelity_change(geometry, validation, finer),
            "<= 0.005",
        ),
        claim(
            f"default fidelity ({DEFAULT[0]} samples a pixel, light up to a sine of {DEFAULT[1]}) "
            "against validation fidelity",
            fidelity_change(geometry, DEFAULT, VALIDATION),
            "<= 0.05",
        ),
    ]
    return Outcome(claims)
