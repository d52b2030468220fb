"""The twin's propagation in float32 against float64 closed forms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from twin.propagation import padded_size, propagate, transfer_function

PITCH_M, WAVELENGTH_M, GAP_M, SIZE = 9.2e-6, 850e-9, 34.2e-3, 300
K = 2.0 * math.pi / WAVELENGTH_M
DOUBLE = torch.float64


def axes() -> tuple[Tensor, Tensor]:
    """Return x (1, w) and y (h, 1) in metres from the centre, float64."""
    axis = (torch.arange(SIZE, dtype=DOUBLE) - (SIZE - 1) / 2) * PITCH_M
    return axis[None, :], axis[:, None]


def moved(field: Tensor, size: int | None = None) -> Tensor:
    """Propagate a field by one gap as the twin does, on its own or on another grid."""
    grid = size or padded_size(SIZE, PITCH_M, WAVELENGTH_M, GAP_M)
    transfer = transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M)
    return propagate(field.to(torch.complex64), transfer)


def gaussian_beam(waist_m: float, sine: float = 0.0) -> Tensor:
    """Return a Gaussian beam with its waist at the plane, tilted in x."""
    x, y = axes()
    amplitude = torch.exp(-(x.square() + y.square()) / waist_m**2)
    return torch.polar(amplitude, K * sine * x + 0.0 * y)


def gaussian_error() -> float:
    """Return the largest field error over the peak, against the paraxial closed form (Siegman, ch. 16)."""
    waist_m = 0.3e-3
    x, y = axes()
    q = torch.tensor(1.0 + 1j * GAP_M / (math.pi * waist_m**2 / WAVELENGTH_M), dtype=torch.cdouble)
    exact = torch.exp(-(x.square() + y.square()) / (waist_m**2 * q)) / q
    return float((moved(gaussian_beam(waist_m)) - exact).abs().max() / exact.abs().max())


def centroid_error() -> float:
    """Return the pixels by which the centre of gravity of beams of several tilts misses z tan(angle)."""
    x, _ = axes()
    worst = 0.0
    for sine in (-0.012, -0.004, 0.007, 0.012):
        intensity = moved(gaussian_beam(0.15e-3, sine)).to(torch.cdouble).abs().square()
        found_m = float((intensity.sum(0) * x[0]).sum() / intensity.sum())
        expected_m = GAP_M * sine / math.sqrt(1.0 - sine**2)
        worst = max(worst, abs(found_m - expected_m) / PITCH_M)
    return worst


def speckle() -> Tensor:
    """Return a random field under a Gaussian, its angles within half of the band, float64."""
    torch.manual_seed(0)
    noise = torch.randn(SIZE, SIZE, 2, dtype=DOUBLE)
    frequency = torch.fft.fftfreq(SIZE, dtype=DOUBLE)
    low = torch.exp(-(frequency[:, None].square() + frequency[None, :].square()) / (2 * 0.06**2))
    smooth = torch.fft.ifft2(torch.fft.fft2(torch.view_as_complex(noise)) * low)
    field: Tensor = smooth / smooth.abs().max() * gaussian_beam(0.35e-3).abs()
    return field


def rayleigh_sommerfeld_error(points: int) -> float:
    """Return the field error over the peak at some points, against the sum of the first RS integral."""
    field = speckle()
    got = moved(field).to(torch.cdouble)
    x, y = axes()
    torch.manual_seed(1)
    places = torch.randint(60, SIZE - 60, (points, 2))
    errors, peak = [], float(got.abs().max())
    for row, column in places.tolist():
        distance = ((x - x[0, column]).square() + (y - y[row, 0]).square() + GAP_M**2).sqrt()
        kernel = (1.0 / distance - 1j * K) * GAP_M / (2.0 * math.pi * distance.square())
        # The carrier exp(j k z) is taken off, as Feit and Fleck do.
        phase = torch.polar(torch.ones_like(distance), K * (distance - GAP_M))
        exact = (field * kernel * phase).sum() * PITCH_M**2
        errors.append(float((got[row, column] - exact).abs()))
    return max(errors) / peak


def worst_case_error() -> float:
    """Return the error for random phase in every pixel, against a four times larger grid."""
    torch.manual_seed(2)
    phase = 2.0 * math.pi * torch.rand(SIZE, SIZE)
    field = torch.polar(torch.ones_like(phase), phase)
    exact = moved(field, 4 * SIZE)
    return float((moved(field) - exact).norm() / exact.norm())


def energy_error() -> float:
    """Return the relative change of the energy of beams that stay within the plane."""
    worst = 0.0
    for waist_m, sine in ((0.15e-3, 0.0), (0.3e-3, 0.0), (0.15e-3, 0.01)):
        field = gaussian_beam(waist_m, sine).to(torch.complex64)
        energies = [f.to(torch.cdouble).abs().square().sum() for f in (field, moved(field))]
        worst = max(worst, abs(float(energies[1] / energies[0]) - 1.0))
    return worst


def adjoint_error() -> float:
    """Return |<v, A u> - <A* v, u>| over |u| |v| for random fields."""
    torch.manual_seed(3)
    grid = padded_size(SIZE, PITCH_M, WAVELENGTH_M, GAP_M)
    transfer = transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M)
    u, v = torch.randn(2, SIZE, SIZE, dtype=torch.complex64)
    there = torch.vdot(v.flatten(), propagate(u, transfer).flatten())
    back = torch.vdot(propagate(v, transfer.conj().resolve_conj()).flatten(), u.flatten())
    return float((there - back).abs() / (u.norm() * v.norm()))


def measure(setting: Setting) -> Outcome:
    """Hold propagation against each closed form."""
    points = setting.amount("points of the direct sum", smoke=3, quick=60, full=60)
    claims = [
        claim("Gaussian beam over 34.2 mm: field error over the peak", gaussian_error(), "<= 1e-5"),
        claim("tilted beam: centroid error, px", centroid_error(), "<= 1e-3"),
        claim(
            "speckle against a Rayleigh-Sommerfeld sum",
            rayleigh_sommerfeld_error(points),
            "<= 1e-5",
        ),
        claim("random phase against a 4 x larger grid", worst_case_error(), "<= 1e-3"),
        claim("energy of contained beams, relative change", energy_error(), "<= 1e-6"),
        claim("adjoint", adjoint_error(), "<= 1e-5"),
    ]
    return Outcome(claims)
