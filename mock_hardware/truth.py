"""Every hidden quantity of a mock laboratory. For tests and benchmarks alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mock_hardware.config import MockGeometry, MockImperfections

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """Drawn once, frozen. Angles are (x, y) pairs.

    tilts_rad: (P, 2), picked up at the input plane and at each layer.
    phase_by_grey_rad: (2**8,) true phase of each grey level.
    camera_matrix (2, 2), camera_offset_px (2,): raw sensor (row, column) of an output-plane pixel
    index (row, column).
    """

    z_gap_mm: float
    tilts_rad: Array
    waist_mm: float
    beam_centre_um: Array
    phase_by_grey_rad: Array
    camera_matrix: Array
    camera_offset_px: Array
    pedestal_counts: float
    electrons_per_count: float
    read_noise_electrons: float
    shot_noise: bool


def draw_truth(geometry: MockGeometry, dials: MockImperfections, seed: int) -> Truth:
    """The hidden quantities of the bench with this seed; normal deviates clipped at two sigma."""
    rng = np.random.default_rng([seed, 1])
    on = 0.0 if dials.imperfections == "none" else 1.0

    def deviates(*shape: int) -> Array:
        return on * np.clip(rng.standard_normal(shape), -2.0, 2.0)

    layers = len(geometry.patch_lefts) - (1 if geometry.input_kind == "slm_patch" else 0)
    tilts = np.empty((layers + 1, 2))
    tilts[0] = dials.beam_tilt_mrad * deviates(2)
    tilts[1:] = dials.mirror_tilt_mrad * deviates(2)
    tilts[1:] += dials.bounce_tilt_mrad * deviates(layers, 2)
    grey = np.arange(256) / 255.0
    total = 2.0 * np.pi * (255.0 / 256.0 if on == 0.0 else 1.0 + 0.12 * rng.random())
    bend = 0.04 * deviates(2)
    phase = total * (grey + bend[0] * np.sin(np.pi * grey) + bend[1] * np.sin(2 * np.pi * grey) / 2)
    angle = np.deg2rad(dials.rotation_deg * deviates(1)[0])
    scale = geometry.magnification * (1.0 + dials.magnification_error * deviates(1)[0])
    scale *= geometry.pixel_pitch_um / geometry.camera_pitch_um
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plane_centre = (np.array(geometry.patch_shape) - 1) / 2
    sensor_centre = (np.array(geometry.camera_shape) - 1) / 2
    offset = sensor_centre - matrix @ plane_centre + dials.camera_offset_px * deviates(2)
    counts = 2**geometry.camera_bit_depth
    return Truth(
        z_gap_mm=geometry.z_gap_mm * (1.0 + dials.gap_error * float(deviates(1)[0])),
        tilts_rad=tilts * 1e-3,
        waist_mm=geometry.waist_mm * (1.0 + dials.waist_error * float(deviates(1)[0])),
        beam_centre_um=dials.beam_offset_um * deviates(2),
        phase_by_grey_rad=phase,
        camera_matrix=matrix,
        camera_offset_px=offset,
        pedestal_counts=on * dials.pedestal_fraction * counts,
        electrons_per_count=dials.full_well_electrons / counts,
        read_noise_electrons=on * dials.read_noise_electrons,
        shot_noise=on > 0.0,
    )
