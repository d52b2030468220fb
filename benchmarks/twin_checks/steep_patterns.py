"""Patterns that change from pixel to pixel: holograms, blazed gratings, lenses, random pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from labdiff.session.calibrated_bench import CalibratedBench
from twin.probes import block_phases, smooth_phases
from twin.propagation import propagate, transfer_function

KINDS = ("holograms", "gratings", "lenses", "1 px blocks")
PERIOD_PX = 8
ITERATIONS = 30
FILLED = 0.8
"""Share of a patch's side over which a hologram's spots are spread."""
SPOTS = 24


def steep_patterns(
    calibrated: CalibratedBench, kind: str, count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return patterns of one of KINDS in the SLM's grey levels: inputs (B, h, w) and layers (B, N, h, w).

    Args:
        calibrated: the bench.
        kind: of the patterns.
        count: how many.
        seed: of the patterns.
    """
    shape, layers = calibrated.config.cavity.patch_shape, calibrated.config.layers
    inputs = smooth_phases(count, shape, 0.7, seed)
    patterns = torch.zeros(count, layers, *shape)
    for number, planes in enumerate(patterns):
        # The last layer alone, then all of them, in turns; a lens on one layer after the other.
        last_alone = number % 2 == 0
        for layer in range(layers):
            own_seed = 1000 * seed + 100 * number + layer
            if kind == "lenses":
                if layer == layers - 1 - number % layers:
                    planes[layer] = lens(calibrated)
            elif kind == "1 px blocks":
                planes[layer] = block_phases(1, shape, 1, own_seed)[0]
            elif layer == layers - 1 or not last_alone:
                make = hologram if kind == "holograms" else grating
                planes[layer] = make(calibrated, own_seed)
    return calibrated.quantised(inputs), calibrated.quantised(patterns)


def grating(calibrated: CalibratedBench, seed: int) -> Tensor:
    """Return a blazed grating (h, w) of PERIOD_PX pixels a turn, in one of four directions, rad."""
    height, width = calibrated.config.cavity.patch_shape
    ramp = 2.0 * math.pi / PERIOD_PX * torch.arange(max(height, width))
    sign = 1.0 if seed % 2 else -1.0
    down = bool(torch.randint(2, (), generator=torch.Generator().manual_seed(seed)))
    across = ramp[:height, None] if down else ramp[None, :width]
    return (sign * across).expand(height, width)


def lens(calibrated: CalibratedBench) -> Tensor:
    """Return the phase (h, w) of a lens whose focal length is two gaps, rad."""
    config = calibrated.config
    height, width = config.cavity.patch_shape
    pitch_m = config.slm.pixel_pitch_um * 1e-6
    y, x = (pitch_m * (torch.arange(n) - (n - 1) / 2.0) for n in (height, width))
    wave_number = 2e9 * math.pi / config.source.wavelength_nm
    squares: Tensor = y.square()[:, None] + x.square()[None, :]
    return -wave_number * squares / (2.0 * 2.0 * config.gap_mm * 1e-3)


def hologram(calibrated: CalibratedBench, seed: int) -> Tensor:
    """Return a phase (h, w) that makes random spots on the next plane, by Gerchberg and Saxton, rad."""
    config = calibrated.config
    height, width = config.cavity.patch_shape
    rng = torch.Generator().manual_seed(seed)
    wanted = torch.zeros(height, width)
    for _ in range(SPOTS):
        row, column = (
            int(side * (0.5 + FILLED * (float(torch.rand((), generator=rng)) - 0.5)))
            for side in (height, width)
        )
        wanted[row : row + 3, column : column + 3] = 1.0
    geometry = calibrated.twin.geometry
    there = transfer_function(
        calibrated.twin.padded, geometry.pixel_pitch_m, geometry.wavelength_m, geometry.z_gap_m * 2
    )
    phase = 2.0 * math.pi * torch.rand(height, width, generator=rng)
    for _ in range(ITERATIONS):
        light = propagate(torch.polar(torch.ones(height, width), phase), there)
        back = propagate(torch.polar(wanted, light.angle()), there.conj())
        phase = back.angle()
    return phase
