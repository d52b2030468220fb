"""The mock's light against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.types import Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.optics.propagation import AngularSpectrum
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (144, 640), (100, 100), 22, (20, 140, 260, 380, 500), 5.7, 0.6, "slm_patch",
    (256, 320), 3.45, 12, 0.6,
)  # fmt: skip
PITCH_M, WAVELENGTH_M = 9.2e-6, 850e-9
AXIS = (np.arange(100) - 49.5) * PITCH_M
Y, X = np.meshgrid(AXIS, AXIS, indexing="ij")


def laboratory(seed: int, emission: bool = True) -> MockLaboratory:
    lab = MockLaboratory.create(GEOMETRY, MockSettings(), seed)
    lab.laser.emission = emission
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    return lab


def gaussian(waist_m: float) -> np.ndarray:
    return np.exp(-(X**2 + Y**2) / waist_m**2).astype(np.complex64)


def test_propagation_keeps_the_energy_of_a_confined_beam() -> None:
    field = gaussian(150e-6)
    moved = AngularSpectrum((100, 100), PITCH_M, WAVELENGTH_M, 11.4e-3)(field)
    assert np.sum(np.abs(moved) ** 2) == pytest.approx(np.sum(np.abs(field) ** 2), rel=1e-4)


def test_gaussian_beam_widens_as_the_closed_form_says() -> None:
    waist_m, distance_m = 100e-6, 30e-3
    moved = AngularSpectrum((100, 100), PITCH_M, WAVELENGTH_M, distance_m)(gaussian(waist_m))
    light = np.abs(moved) ** 2
    radius = 2 * np.sqrt(np.sum(light * X**2) / np.sum(light))
    rayleigh = np.pi * waist_m**2 / WAVELENGTH_M
    assert radius == pytest.approx(waist_m * np.sqrt(1 + (distance_m / rayleigh) ** 2), rel=5e-3)


def test_tilted_beam_walks_by_distance_times_tangent() -> None:
    angle, distance_m = 3e-3, 30e-3
    ramp = np.exp(-2j * np.pi / WAVELENGTH_M * X * np.sin(angle)).astype(np.complex64)
    propagate = AngularSpectrum((100, 100), PITCH_M, WAVELENGTH_M, distance_m)
    light = np.abs(propagate(gaussian(150e-6) * ramp)) ** 2
    centroid = np.sum(light * X) / np.sum(light)
    assert centroid == pytest.approx(-distance_m * np.tan(angle), rel=0.02)


def test_photon_transfer_gives_the_gain() -> None:
    lab = laboratory(3)
    lab.camera.exposure_ms = 2.0
    lab.camera.roi = Roi(68, 100, 120, 120)
    lab.world.clock.sleep_s(0.1)
    stack = np.stack([f.pixels for f in lab.camera.get_frames(60)]).astype(float)
    mean, variance = stack.mean(0).ravel(), stack.var(0, ddof=1).ravel()
    use = (mean > 400) & (mean < 3500)
    assert use.sum() > 1000
    slope = np.polyfit(mean[use], variance[use], 1)[0]
    assert 1 / slope == pytest.approx(lab.world.truth.electrons_per_count, rel=0.05)


def test_same_seed_same_frames_and_another_seed_others() -> None:
    frames = []
    for seed in (5, 5, 6):
        lab = laboratory(seed)
        frames.append(lab.camera.get_frame().pixels)
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])


def test_no_emission_gives_the_pedestal() -> None:
    lab = laboratory(7, emission=False)
    frame = lab.camera.get_frame()
    assert frame.pixels.mean() == pytest.approx(lab.world.truth.pedestal_counts, abs=0.5)
    assert frame.saturated_fraction == 0.0
