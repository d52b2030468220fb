"""The beam against the mock's hidden truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
import pytest
from scipy.special import fresnel

from calibration.beam import FIRST_SIDE, BeamFound, Crosstalk, measure_beam
from calibration.beam_shape import axis_reach, fit_edge, fit_gaussian
from calibration.coded_blocks import coded_amplitudes
from calibration.focused_patch import focused_blocks
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.registration import Registration
from calibration.result import Verdict
from calibration.result_file import read_result, write_result
from calibration.step import CalibrationStep
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.optics.beam import beam_field
from mock_hardware.settings import MockSettings
from tests.support.mock_bench import settle

Array = np.ndarray
T = TypeVar("T")
LEFTS = (20, 140, 260, 380, 500)
LAYOUT = PatchLayout((144, 640), (100, 100), 22, LEFTS, 9.2, 850.0, 11.4)
GEOMETRY = MockGeometry(
    850.0, 9.2, (144, 640), (100, 100), 22, LEFTS, 5.7, 0.6, "slm_patch", (256, 320), 3.45, 12, 0.6
)
SMALL_LAYOUT = PatchLayout((64, 220), (48, 48), 8, (8, 64, 120), 9.2, 850.0, 11.4)
SMALL = MockGeometry(
    850.0, 9.2, (64, 220), (48, 48), 8, (8, 64, 120), 5.7, 0.3, "slm_patch", (96, 96), 3.45, 12, 0.6
)


def laboratory(
    geometry: MockGeometry, settings: MockSettings | None = None, seed: int = 0, lit: bool = True
) -> MockLaboratory:
    lab = MockLaboratory.create(geometry, settings, seed)
    lab.laser.emission = lit
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    lab.slm.set_lut(lab.world.truth.phase_by_grey_rad * lab.world.truth.stroke_map.mean())
    lab.camera.exposure_ms = 0.5
    return lab


def result_of(routine: Generator[CalibrationStep, None, T]) -> tuple[T, list[CalibrationStep]]:
    steps = []
    while True:
        try:
            steps.append(next(routine))
        except StopIteration as stop:
            result: T = stop.value
            return result, steps


def found(lab: MockLaboratory, layout: PatchLayout) -> tuple[BeamFound, list[CalibrationStep]]:
    truth = lab.world.truth
    registration = Registration(
        truth.camera_matrix, truth.camera_offset_px, 0.0, 0.0, Verdict("pass", "")
    )
    # The registration is measured with the last patch's tilt in it.
    away_mm = -np.sin(truth.tilts_rad[-1][::-1]) * 2.0 * truth.z_gap_mm
    shift = truth.camera_matrix @ (away_mm * 1e3 / layout.pixel_pitch_um)
    registration = dataclasses.replace(registration, offset=truth.camera_offset_px + shift)
    return result_of(
        measure_beam(
            ObservedSLM(lab.slm, lab.camera, truth.pedestal_counts, settle(lab)),
            layout,
            registration,
            Crosstalk(truth.crosstalk_px),
        )
    )


def true_amplitude(lab: MockLaboratory, edge: bool) -> Array:
    """(7, 7) block means of the field's amplitude on the first patch."""
    truth = lab.world.truth if edge else dataclasses.replace(lab.world.truth, mirror_edge=0.0)
    size = GEOMETRY.patch_shape[0]
    x_m = (np.arange(2 * size) - (2 * size - 1) / 2.0) * GEOMETRY.pixel_pitch_um * 0.5e-6
    field = np.abs(beam_field(GEOMETRY, truth, x_m[:, None], x_m[None, :]))
    block = np.arange(2 * size) // 2 * FIRST_SIDE // size
    number = (block[:, None] * FIRST_SIDE + block[None, :]).ravel()
    means = np.bincount(number, field.ravel()) / np.bincount(number)
    return means.reshape(FIRST_SIDE, FIRST_SIDE)


def test_amplitude_centre_waists_and_edge_with_every_effect_on(tmp_path: Path) -> None:
    lab = laboratory(GEOMETRY)
    beam, steps = found(lab, LAYOUT)
    assert beam.verdict.level == "pass", beam.verdict.reason
    truth = true_amplitude(lab, edge=True)
    ratio = beam.first_amplitude / (truth / np.sqrt(np.mean(truth**2)))
    assert np.abs(ratio - 1.0).max() < 0.08
    assert ratio.std() < 0.03
    # The beam is no Gaussian: what can be found is the one that fits it best.
    whole = np.ones((FIRST_SIDE, FIRST_SIDE), bool)
    clean = true_amplitude(lab, edge=False)
    best = fit_gaussian(clean, 0.01 * clean, LAYOUT.patch_shape, whole, ~whole)
    np.testing.assert_allclose(beam.centre_um, best.centre_px * 9.2, atol=0.03 * 600)
    np.testing.assert_allclose(beam.waist_um, best.waist_px * 9.2, rtol=0.04)
    assert (np.abs(beam.centre_um - best.centre_px * 9.2) < 4.0 * beam.centre_sigma_um).all()
    edge_px = lab.world.truth.mirror_edge * 100
    assert beam.edge_px == pytest.approx(edge_px, abs=0.5)
    assert 0.005 < beam.shaded_share < 0.03
    assert beam.held_out < 0.03
    assert lab.camera.exposure_ms == 0.5
    assert steps[-1].picture is not None
    assert steps[-1].picture.shape == (FIRST_SIDE, FIRST_SIDE)
    with h5py.File(tmp_path / "found.h5", "w") as file:
        write_result(file.create_group("beam"), beam)
        again = read_result(file["beam"])
        assert isinstance(again, BeamFound)
        np.testing.assert_array_equal(again.first_amplitude, beam.first_amplitude)
        assert again == beam


def test_a_beam_far_off_its_patch_is_warned_of_with_the_way_to_move() -> None:
    effects = ("camera.read_noise_electrons", "camera.shot_noise", "slm.crosstalk_px")
    settings = MockSettings().only(*effects)
    beam_settings = settings.beam.model_copy(update={"offset_um": 70.0})
    lab = laboratory(SMALL, settings.model_copy(update={"beam": beam_settings}), seed=1)
    true_um = lab.world.truth.beam_centre_um
    assert np.abs(true_um).max() > 110.0
    beam, _ = found(lab, SMALL_LAYOUT)
    assert beam.verdict.level == "warn"
    assert "more than a third of the waist" in beam.verdict.reason
    np.testing.assert_allclose(beam.centre_um, true_um, atol=0.1 * 300)
    assert f"({beam.shift_px[0]:.0f}, {beam.shift_px[1]:.0f}) px" in beam.verdict.remedy
    np.testing.assert_array_equal(beam.shift_px, np.rint(beam.centre_um / 9.2))


@pytest.mark.parametrize("mistake", ["dark", "frozen"])
def test_without_a_spot_it_fails_and_says_what_to_do(mistake: str) -> None:
    settings = MockSettings()
    if mistake == "frozen":
        faults = settings.faults.model_copy(update={"script": ("slm_frozen@1-",)})
        settings = settings.model_copy(update={"faults": faults})
    lab = laboratory(SMALL, settings, lit=mistake != "dark")
    beam, _ = found(lab, SMALL_LAYOUT)
    assert beam.verdict.level == "fail"
    assert "spot" in beam.verdict.reason
    assert "laser" in beam.verdict.remedy
    assert np.isnan(beam.first_amplitude).all()
    assert lab.camera.exposure_ms == 0.5


def test_coded_blocks_are_exact_without_noise() -> None:
    rng = np.random.default_rng(0)
    blocks = focused_blocks((12, 12), 6, 2, np.zeros((12, 12)))
    light = rng.uniform(1.0, 2.0, (4, 36)) * np.exp(1j * rng.uniform(0.0, 0.5, (4, 36)))
    mine = blocks.focus == np.arange(4)[:, None]
    light *= np.where(mine, 1.0, 0.05)

    def look(phase_rad: Array) -> Array:
        block_phase = np.array([phase_rad[blocks.labels == b].mean() for b in range(36)])
        return np.abs(light @ np.exp(1j * block_phase))[:, None] ** 2

    amplitude = None
    routine = coded_amplitudes(blocks, look)
    frames = 0
    try:
        while True:
            frames = next(routine)
    except StopIteration as stop:
        amplitude, _ = stop.value
    assert frames == blocks.frames
    np.testing.assert_allclose(amplitude, np.abs(light[blocks.focus, np.arange(36)]), rtol=1e-6)


def test_reach_is_one_where_nothing_is_in_the_way() -> None:
    np.testing.assert_allclose(np.abs(axis_reach(100, 1, 9.2, 850.0, 11.4)), 1.0, atol=0.02)
    # Patches that are wider than the cone cut off hardly anything from its middle.
    middle = np.abs(axis_reach(100, 5, 9.2, 850.0, 11.4))[40:60]
    np.testing.assert_allclose(middle, 1.0, atol=0.06)


@pytest.mark.parametrize("edge_px", [1.0, 3.0, 6.0])
def test_a_half_planes_edge_is_found_where_it_is(edge_px: float) -> None:
    fringe_px = np.sqrt(0.85 * 5700.0 / 2.0) / 9.2
    places = (np.arange(30 * 20) + 0.5) / 20.0
    sine, cosine = fresnel((places - edge_px) / fringe_px)
    wave = ((0.5 + cosine) + 1j * (0.5 + sine)) / (1.0 + 1j)
    rng = np.random.default_rng(1)
    amplitude = 3.0 * np.abs(wave.reshape(15, -1).mean(axis=1)) * rng.normal(1.0, 0.02, 15)
    found_px, sigma_px = fit_edge(amplitude, 0.02 * amplitude, 2, np.ones(100), fringe_px)
    assert found_px == pytest.approx(edge_px, abs=0.3)
    assert 0.0 < sigma_px < 1.0
    none = rng.normal(3.0, 0.1, 15)
    assert np.isnan(fit_edge(none, 0.03 * none, 2, np.ones(100), fringe_px)[0])
