"""The hidden truth: drawn from the seed, one stream for each name."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from mock_hardware.geometry import MockGeometry
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth, draw_truth

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 120), (20, 24), 6, (2, 32, 62, 92), 5.7, 0.3, "slm_patch",
    (30, 36), 3.45, 12, 0.6,
)  # fmt: skip
SEEDS = range(150)
CLIPPED_VARIANCE = 4.0 - 3.0 * math.erf(math.sqrt(2.0)) - 4.0 * math.exp(-2.0) / math.sqrt(math.tau)
"""Of a normal deviate clipped at two sigma: what lies inside, and 4 for what lies outside."""

HIDES: dict[str, tuple[str, ...]] = {
    "slm.stroke_spread": ("phase_by_grey_rad",),
    "slm.lut_bend": ("phase_by_grey_rad",),
    "slm.lut_variation": ("stroke_map",),
    "slm.backplane_rad": ("backplane_rad",),
    "slm.crosstalk_px": ("crosstalk_px",),
    "slm.fringing_growth": ("fringing_growth",),
    "slm.phase_noise_rad": ("phase_error_rad",),
    "slm.dead_space": ("dead_space",),
    "slm.reflection_loss": ("slm_reflectivity",),
    "slm.flicker": ("flicker",),
    "beam.tilt_mrad": ("tilts_rad",),
    "beam.offset_um": ("beam_centre_um",),
    "beam.waist_error": ("waists_mm",),
    "beam.ellipticity": ("waists_mm",),
    "beam.structure": ("beam_modes",),
    "beam.window_ghost": ("ghost",),
    "cavity.gap_error": ("z_gap_mm",),
    "cavity.mirror_tilt_mrad": ("tilts_rad",),
    "cavity.bounce_tilt_mrad": ("tilts_rad",),
    "cavity.mirror_loss": ("mirror_reflectivity",),
    "cavity.mirror_edge": ("mirror_edge",),
    "relay.magnification_error": ("camera_matrix", "camera_offset_px"),
    "relay.rotation_deg": ("camera_matrix", "camera_offset_px"),
    "relay.offset_px": ("camera_offset_px",),
    "relay.distortion": ("distortion",),
    "relay.defocus_mm": ("defocus_mm",),
    "relay.aberration_rad": ("aberration_rad",),
    "relay.stray": ("stray",),
    "dmd.diffraction_loss": ("dmd_efficiency",),
    "camera.shot_noise": ("shot_noise",),
    "camera.read_noise_electrons": ("read_noise_electrons",),
    "camera.dark_electrons_per_s": ("dark_electrons_per_s",),
    "camera.pedestal": ("pedestal_counts",),
    "camera.offset_pattern_electrons": ("offset_pattern_electrons",),
    "camera.gain_pattern": ("gain_pattern",),
    "camera.defects": ("hot", "dead"),
    "camera.automatic_gain": (),
    "camera.lamp": (),
    "camera.frames_late": (),
    "camera.dust": ("sensor_dust",),
    "beam.wavelength_error": ("wavelength_off_nm",),
    "slm.pitch_error": ("pitch_off", "camera_matrix", "camera_offset_px"),
    "slm.dust": ("panel_dust",),
    "slm.unmodulated": (),
    "slm.undeclared_slowdown": (),
    "relay.ghost": (),
}
"""The hidden quantities that each setting scales; drift, faults and lamps are not hidden but happen."""
EFFECTS = [f"{section}.{name}" for section, name in MockSettings.effects()]


def turned(effect: str, factor: float) -> MockSettings:
    """All settings as they are but one, which is scaled (or off, for a switch)."""
    section, name = effect.split(".")
    settings = MockSettings.model_validate(
        {
            "camera": {"defects": 0.02, "dust": 2},
            "slm": {
                "dust": 2,
                "pitch_error": 0.01,
                "fringing_growth": 0.2,
                "phase_noise_rad": 0.2,
            },
            "beam": {"wavelength_error": 0.01},
            "relay": {"stray": 0.1},
        }
    )
    part = getattr(settings, section)
    value = getattr(part, name)
    update = {name: type(value)(value * factor)}
    return settings.model_copy(update={section: part.model_copy(update=update)})


def truth_of(settings: MockSettings | None = None, seed: int = 0) -> Truth:
    return draw_truth(GEOMETRY, settings or MockSettings(), seed)


def different(one: Truth, other: Truth) -> set[str]:
    """Names of the quantities in which two truths differ."""
    names = [field.name for field in fields(Truth)]
    return {n for n in names if not np.array_equal(getattr(one, n), getattr(other, n))}


def tilt_settings(**tilts: float) -> MockSettings:
    base = {"beam": {"tilt_mrad": 0.0}, "cavity": {"mirror_tilt_mrad": 0.0}}
    base["cavity"]["bounce_tilt_mrad"] = 0.0
    for name, value in tilts.items():
        base["beam" if name == "tilt_mrad" else "cavity"][name] = value
    return MockSettings.model_validate(base)


def test_the_same_seed_hides_the_same() -> None:
    assert different(truth_of(seed=3), truth_of(seed=3)) == set()


def test_another_seed_hides_something_else_wherever_chance_is_involved() -> None:
    settings = turned("camera.defects", 1.0)
    fixed = {
        "mirror_reflectivity", "slm_reflectivity", "crosstalk_px", "dead_space",
        "dead_space_reflectance", "flicker", "dmd_efficiency", "pedestal_counts",
        "fringing_growth", "electrons_per_count", "read_noise_electrons", "dark_electrons_per_s",
        "shot_noise",
    }  # fmt: skip
    names = {field.name for field in fields(Truth)}
    assert different(truth_of(settings, 1), truth_of(settings, 2)) == names - fixed


@pytest.mark.parametrize("effect", EFFECTS)
def test_changing_one_setting_leaves_what_the_others_draw_unchanged(effect: str) -> None:
    before, after = truth_of(turned(effect, 1.0)), truth_of(turned(effect, 0.5))
    section = effect.split(".")[0]
    expected = () if section in ("drift", "faults") else HIDES[effect]
    if effect == "camera.shot_noise":
        after = truth_of(turned(effect, 0.0))
    assert different(before, after) == set(expected)


def test_the_tilts_of_beam_mirror_and_bounces_have_streams_of_their_own() -> None:
    beam = truth_of(tilt_settings(tilt_mrad=1.5)).tilts_rad
    mirror = truth_of(tilt_settings(mirror_tilt_mrad=1.0)).tilts_rad
    bounces = truth_of(tilt_settings(bounce_tilt_mrad=0.1)).tilts_rad
    both = tilt_settings(tilt_mrad=1.5, mirror_tilt_mrad=1.0, bounce_tilt_mrad=0.1)
    np.testing.assert_allclose(truth_of(both).tilts_rad, beam + mirror + bounces, rtol=1e-12)
    assert np.all(beam[0] != 0.0) and not beam[1:].any()
    assert np.all(mirror[1:] == mirror[1]) and not mirror[0].any(), "one mirror for all bounces"
    assert len(np.unique(bounces[1:])) == bounces[1:].size and not bounces[0].any()


def test_magnification_and_rotation_have_streams_of_their_own() -> None:
    def scale_and_angle(settings: MockSettings) -> tuple[float, float]:
        matrix = truth_of(settings).camera_matrix
        angle = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
        return float(np.sqrt(np.linalg.det(matrix))), angle

    scale, angle = scale_and_angle(MockSettings())
    assert scale_and_angle(MockSettings().only("relay.magnification_error")) == pytest.approx(
        (scale, 0.0)
    )
    nominal = GEOMETRY.magnification * GEOMETRY.pixel_pitch_um / GEOMETRY.camera_pitch_um
    assert scale_and_angle(MockSettings().only("relay.rotation_deg")) == pytest.approx(
        (nominal, angle)
    )
    assert angle != 0.0 and scale != pytest.approx(nominal, rel=1e-6)


def test_waist_and_ellipticity_have_streams_of_their_own() -> None:
    round_beam = truth_of(MockSettings().only("beam.waist_error")).waists_mm
    nominal_size = truth_of(MockSettings().only("beam.ellipticity")).waists_mm
    assert round_beam[0] == round_beam[1] != GEOMETRY.waist_mm
    assert nominal_size.mean() == pytest.approx(GEOMETRY.waist_mm)
    assert nominal_size[0] != nominal_size[1]
    both = truth_of().waists_mm
    np.testing.assert_allclose(both, round_beam * nominal_size / GEOMETRY.waist_mm)


def test_more_of_an_effect_is_the_same_draw_scaled() -> None:
    single, double = (
        truth_of(MockSettings.model_validate({"cavity": {"gap_error": error}}))
        for error in (0.01, 0.02)
    )
    nominal = GEOMETRY.z_gap_mm
    assert double.z_gap_mm - nominal == pytest.approx(2.0 * (single.z_gap_mm - nominal))


@pytest.mark.parametrize("settings", [MockSettings().off(), MockSettings(imperfections="none")])
def test_with_every_effect_off_the_truth_is_the_data_sheet(settings: MockSettings) -> None:
    truth = truth_of(settings, seed=4)
    assert truth.z_gap_mm == GEOMETRY.z_gap_mm
    assert not truth.tilts_rad.any() and truth.tilts_rad.shape == (GEOMETRY.layers + 1, 2)
    assert np.all(truth.waists_mm == GEOMETRY.waist_mm)
    assert not truth.beam_centre_um.any()
    assert not truth.beam_modes.any() and truth.ghost[0] == 0.0
    assert truth.mirror_edge == 0.0
    assert truth.mirror_reflectivity == truth.slm_reflectivity == truth.dmd_efficiency == 1.0
    levels = 2**GEOMETRY.slm_bit_depth
    np.testing.assert_allclose(truth.phase_by_grey_rad, np.arange(levels) * 2.0 * np.pi / levels)
    assert np.all(truth.stroke_map == 1.0) and not truth.backplane_rad.any()
    assert truth.crosstalk_px == truth.dead_space == truth.flicker == 0.0
    scale = GEOMETRY.magnification * GEOMETRY.pixel_pitch_um / GEOMETRY.camera_pitch_um
    np.testing.assert_allclose(truth.camera_matrix, scale * np.eye(2), atol=1e-12)
    assert truth.distortion == truth.defocus_mm == 0.0 and not truth.aberration_rad.any()
    assert truth.pedestal_counts == truth.read_noise_electrons == truth.dark_electrons_per_s == 0.0
    assert not truth.shot_noise and not truth.offset_pattern_electrons.any()
    assert np.all(truth.gain_pattern == 1.0) and not truth.defective.any()


@pytest.mark.parametrize("seed", [0, 1])
def test_without_an_offset_the_planes_centre_lies_on_the_sensors(seed: int) -> None:
    """Whatever magnification and rotation are."""
    settings = MockSettings().only("relay.magnification_error", "relay.rotation_deg")
    truth = truth_of(settings, seed)
    plane, sensor = ((np.array(s) - 1) / 2 for s in (GEOMETRY.patch_shape, GEOMETRY.camera_shape))
    np.testing.assert_allclose(truth.camera_matrix @ plane + truth.camera_offset_px, sensor)


def test_shapes_and_counts_follow_the_geometry() -> None:
    truth = truth_of()
    patches = (len(GEOMETRY.patch_lefts), *GEOMETRY.patch_shape)
    assert truth.stroke_map.shape == truth.backplane_rad.shape == patches
    for pattern in (truth.offset_pattern_electrons, truth.gain_pattern, truth.hot, truth.dead):
        assert pattern.shape == GEOMETRY.camera_shape
    ten_bits = draw_truth(replace(GEOMETRY, slm_bit_depth=10), MockSettings(), 0)
    assert len(truth.phase_by_grey_rad) == 2**8 and len(ten_bits.phase_by_grey_rad) == 2**10
    full_well = MockSettings().camera.full_well_electrons
    assert truth.electrons_per_count * 2**GEOMETRY.camera_bit_depth == pytest.approx(full_well)


def over_seeds(settings: MockSettings, quantity: str) -> Any:
    return np.array([getattr(truth_of(settings, seed), quantity) for seed in SEEDS], dtype=float)


@pytest.mark.parametrize(
    ("effect", "quantity", "nominal", "unit"),
    [
        ("cavity.gap_error", "z_gap_mm", GEOMETRY.z_gap_mm, GEOMETRY.z_gap_mm),
        ("beam.offset_um", "beam_centre_um", 0.0, 1.0),
        ("relay.defocus_mm", "defocus_mm", 0.0, 1.0),
        ("relay.distortion", "distortion", 0.0, 1.0),
        ("relay.aberration_rad", "aberration_rad", 0.0, 1.0),
    ],
)
def test_draws_are_normal_with_the_settings_rms_and_never_beyond_two_sigma(
    effect: str, quantity: str, nominal: float, unit: float
) -> None:
    section, name = effect.split(".")
    rms = getattr(getattr(MockSettings(), section), name)
    draws = (over_seeds(MockSettings().only(effect), quantity) - nominal) / (rms * unit)
    assert np.abs(draws).max() <= 2.0 + 1e-9
    bound = 4.0 / np.sqrt(draws.size)
    assert abs(draws.mean()) < bound
    assert np.mean(draws**2) == pytest.approx(CLIPPED_VARIANCE, abs=np.sqrt(2.0) * bound)


def test_the_stroke_is_at_least_a_turn_and_uniform_up_to_the_setting() -> None:
    settings = MockSettings.model_validate({"slm": {"stroke_spread": 0.2}})
    ends = over_seeds(settings, "phase_by_grey_rad")
    extra = (ends[:, -1] - ends[:, 0]) / (2.0 * np.pi) - 1.0
    assert extra.min() >= 0.0 and extra.max() <= 0.2 + 1e-9
    assert extra.mean() == pytest.approx(0.1, abs=4.0 * 0.2 / np.sqrt(12.0 * len(extra)))


def test_the_phase_response_rises_with_the_grey_level() -> None:
    assert np.all(np.diff(over_seeds(MockSettings(), "phase_by_grey_rad"), axis=1) > 0.0)


def test_the_bend_leaves_the_ends_of_the_phase_response() -> None:
    straight = truth_of(MockSettings().only("slm.stroke_spread")).phase_by_grey_rad
    bent = truth_of(MockSettings().only("slm.stroke_spread", "slm.lut_bend")).phase_by_grey_rad
    np.testing.assert_allclose(bent[[0, -1]], straight[[0, -1]], atol=1e-12)
    assert np.abs(bent - straight).max() > 1e-3 * straight[-1]


def test_hot_and_dead_pixels_are_each_as_many_as_the_setting_says() -> None:
    share = 0.01
    settings = MockSettings.model_validate({"camera": {"defects": share}})
    hot, dead = over_seeds(settings, "hot"), over_seeds(settings, "dead")
    for pixels in (hot, dead):
        assert abs(pixels.mean() - share) < 4.0 * np.sqrt(share / pixels.size)
    assert not np.array_equal(hot, dead)
    truth = truth_of(settings)
    assert np.array_equal(truth.defective, truth.hot | truth.dead)
