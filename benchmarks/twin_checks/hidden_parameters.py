"""The refined twin's parameters against the mock's hidden truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import BenchConfig
from mock_hardware.drift import Drift
from mock_hardware.optics.cavity import CavityOptics
from mock_hardware.truth import draw_truth
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import load_parameter_vector, parameter_vector

Array = npt.NDArray[Any]


def mean_angle_rad(field: Array, pitch_m: float, wavelength_m: float) -> Array:
    """Return where the light of a field (h, w) goes on the whole, (x, y): its energy's mean sine."""
    rows, columns = (np.sum(np.conj(field) * np.gradient(field, axis=i)).imag for i in (0, 1))
    scale = wavelength_m / (2.0 * np.pi * pitch_m * np.sum(np.abs(field) ** 2))
    angle: Array = np.array([columns, rows]) * scale
    return angle


def sigmas_off(
    config: BenchConfig, twin: DigitalTwin, covariance: Tensor, seed: int, moment_s: float
) -> dict[str, float]:
    """Return by how many stated deviations parameters are off the truth: those that can be told apart.

    moment_s: when the frames were taken; the angles have drifted until then.
    """
    geometry, dials = mock_geometry(config), config.mock
    truth = draw_truth(geometry, dials, seed)
    drifted = Drift(dials.drift, seed).at(moment_s)
    tilts_rad = truth.tilts_rad + drifted.mirror_rad
    # Higher modes with a phase of their own and a window's ghost turn the beam too: compared is where
    # the light goes as a whole, with all parameters that have a say in it.
    source = CavityOptics(geometry, truth, 2).alignment(drifted.beam_rad, np.zeros(2), 0.0).source
    pitch_m, wavelength_m = geometry.pixel_pitch_um * 1e-6 / 2.0, geometry.wavelength_nm * 1e-9
    theta = parameter_vector(twin)

    def direction_mrad(parameters: Tensor) -> Tensor:
        load_parameter_vector(twin, parameters)
        angle_rad = mean_angle_rad(twin.incident().numpy(), pitch_m, wavelength_m)
        return torch.from_numpy(1e3 * angle_rad).float()

    found_mrad = direction_mrad(theta)
    slopes = torch.stack(
        [
            (direction_mrad(theta + step) - found_mrad) / 0.01
            for step in 0.01 * torch.eye(len(theta))
        ]
    )
    load_parameter_vector(twin, theta)
    true_rad = mean_angle_rad(source, pitch_m, wavelength_m)
    beam_off = found_mrad.numpy() - 1e3 * true_rad
    beam_spread = (slopes.T @ covariance @ slopes).diagonal().clamp_min(0.0).sqrt()
    first: dict[str, int] = {}
    place = 0
    for name, parameter in twin.named_parameters():
        first[name], place = place, place + parameter.numel()
    off = {f"beam {axis}": float(beam_off[i] / beam_spread[i]) for i, axis in enumerate("xy")}
    # The last bounce's tilt is a shift of the image too; all others are what they are.
    tilts = (twin.planes_tilt_rad().detach().numpy() - tilts_rad)[1:-1] * 1e3
    for bounce, pair in enumerate(tilts):
        for axis, error in enumerate(pair):
            weights = torch.zeros(len(covariance))
            weights[first["d_alpha_mirror_mrad"] + axis] = 1.0
            weights[first["bounce_tilt_mrad"] + 2 * bounce + axis] = 1.0
            spread = float((weights @ covariance @ weights).clamp_min(0.0).sqrt())
            off[f"bounce {bounce + 1}{'xy'[axis]}"] = float(error) / spread
    gap_percent = 100.0 * (truth.z_gap_mm / geometry.z_gap_mm - 1.0)
    # The mock counts from the middle of the first sample to that of the last.
    first_px = 0.5 / dials.samples_per_pixel
    edge_px = first_px + truth.mirror_edge * (geometry.patch_shape[1] - 2.0 * first_px)
    dead = truth.dead_space * math.sqrt(truth.dead_space_reflectance) / (1.0 - truth.dead_space)
    for name, true in (
        ("z_gap_percent", gap_percent),
        ("crosstalk_px", truth.crosstalk_px),
        ("zero_order_percent", 100.0 * dead),
        ("mirror_edge_px", edge_px),
    ):
        spread = float(covariance[first[name], first[name]].sqrt())
        off[name] = (float(twin.get_parameter(name)) - true) / spread
    return {name: abs(value) for name, value in off.items()}
