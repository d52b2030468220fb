"""Where to search for a window's ghost: without a start, its fringes give no slope to follow."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from twin.alignment_fit import Triples, normalised
from twin.cavity import TOGETHER
from twin.digital_twin import DigitalTwin

LEAST_ANGLE_MRAD = 0.4
"""Slower ripples are the beam's own structure."""
LARGEST_ANGLE_MRAD = 3.0
TRIED_PERCENT = 1.0
FINE = 8
"""Padding of the transform: an eighth of its own resolution."""


def find_ghost(twin: DigitalTwin, triples: Triples) -> None:
    """Set ghost_mrad and ghost_percent to the ripple on the source that explains most of the misfit.

    A factor F(x, y) on the source is 1 now. The gradient of the misfit with respect to it, transformed,
    peaks at the angle of what is missing; a parabola through two trials says how much of it.
    """
    slope = _source_slope(twin, triples)
    rows, columns = (FINE * size for size in slope.shape)
    spectrum = torch.fft.fft2(-slope, s=(rows, columns))
    pitch_mm = twin.geometry.pixel_pitch_m * 1e3 / twin.geometry.samples
    wavelength_um = twin.geometry.wavelength_m * 1e6
    cycles = [torch.fft.fftfreq(n) for n in (rows, columns)]
    y, x = (wavelength_um / pitch_mm * frequency for frequency in cycles)
    angle_mrad = torch.hypot(y[:, None], x[None, :])
    allowed = (angle_mrad >= LEAST_ANGLE_MRAD) & (angle_mrad <= LARGEST_ANGLE_MRAD)
    peak = int((spectrum.abs() * allowed).argmax())
    row, column = divmod(peak, columns)
    # The transform counts from the first sample, the ghost's phase from the middle of the patch.
    height, width = slope.shape
    middle = (height - 1) / 2 * cycles[0][row] + (width - 1) / 2 * cycles[1][column]
    turned = spectrum[row, column] * torch.polar(torch.ones(()), 2.0 * math.pi * middle)
    direction = turned / turned.abs().clamp_min(1e-12)
    angles = torch.tensor([float(x[column]), float(y[row])])
    misfits = [
        _misfit_with(twin, triples, angles, share * TRIED_PERCENT * direction)
        for share in (0.0, 0.5, 1.0)
    ]
    bend = misfits[0] - 2.0 * misfits[1] + misfits[2]
    best = (3.0 * misfits[0] - 4.0 * misfits[1] + misfits[2]) / (4.0 * bend) if bend > 0 else 0.0
    _load(twin, angles, min(max(best, 0.0), 2.0) * TRIED_PERCENT * direction)


def _source_slope(twin: DigitalTwin, triples: Triples) -> Tensor:
    """Return the gradient of the misfit with respect to a factor on the source, (S h, S w) complex."""
    samples = twin.source_modes.shape[-2:]
    factor = torch.ones(samples, dtype=torch.complex64, requires_grad=True)
    for inputs, phases, measured in _groups(triples):
        with torch.no_grad():
            first, layers = twin.modulation(inputs, phases)
        residual = normalised(twin.intensity(first * factor, layers)) - normalised(measured)
        torch.autograd.backward(residual.square().sum())
    assert factor.grad is not None
    return factor.grad


def _misfit_with(twin: DigitalTwin, triples: Triples, angles: Tensor, ghost: Tensor) -> float:
    _load(twin, angles, ghost)
    total = 0.0
    with torch.no_grad():
        for inputs, phases, measured in _groups(triples):
            residual = normalised(twin(inputs, phases)) - normalised(measured)
            total += float(residual.square().sum())
    return total


def _load(twin: DigitalTwin, angles_mrad: Tensor, ghost_percent: Tensor) -> None:
    values = twin.state_dict()
    values["ghost_mrad"] = angles_mrad
    values["ghost_percent"] = torch.stack([ghost_percent.real, ghost_percent.imag])
    twin.load_alignment(values)


def _groups(triples: Triples) -> list[tuple[Tensor, Tensor, Tensor]]:
    columns = (triples.inputs, triples.phases, triples.intensity)
    return list(zip(*(torch.split(column, TOGETHER) for column in columns), strict=True))
