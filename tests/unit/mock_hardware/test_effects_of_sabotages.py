"""What a bench may have in addition: late frames, dust, a second image, light that no patch modulates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mock_hardware.laboratory import MockLaboratory
from mock_hardware.optics.cavity import CavityOptics
from mock_hardware.settings import MockSettings
from mock_hardware.truth import draw_truth
from tests.unit.mock_hardware.camera_bench import (
    FLAT,
    GEOMETRY,
    STRIPES,
    counts,
    laboratory,
    perfect,
    show,
)


@pytest.mark.parametrize("late", [1, 2])
def test_pixels_come_late_with_the_number_and_the_time_of_the_present_frame(late: int) -> None:
    lab = laboratory(perfect(camera={"frames_late": late}))
    flat = [lab.camera.get_frame() for _ in range(late + 1)][-1]
    pattern = show(lab, STRIPES)
    frames = [lab.camera.get_frame() for _ in range(late + 1)]
    for frame in frames[:late]:
        assert np.array_equal(frame.pixels, flat.pixels)
        assert frame.pattern_id == pattern
    assert not np.array_equal(frames[late].pixels, flat.pixels)
    assert [frame.sequence for frame in frames] == [flat.sequence + 1 + n for n in range(late + 1)]


def test_frames_that_are_held_back_survive_a_restart() -> None:
    settings = perfect(camera={"frames_late": 2})
    lab, fresh = laboratory(settings), laboratory(settings)
    for pattern in (FLAT, STRIPES, FLAT):
        show(lab, pattern)
        lab.camera.get_frame()
    state = lab.state()
    assert state is not None
    fresh.restore(state)
    show(lab, STRIPES)
    show(fresh, STRIPES)
    for _ in range(4):
        assert np.array_equal(lab.camera.get_frame().pixels, fresh.camera.get_frame().pixels)


def test_a_panel_may_take_longer_than_it_declares() -> None:
    slow = perfect(slm={"undeclared_slowdown": 3.0, "rise_ms": 20.0, "fall_ms": 20.0})
    lab = laboratory(slow)
    declared = laboratory(perfect(slm={"rise_ms": 20.0, "fall_ms": 20.0})).slm.timing
    assert lab.slm.timing == declared
    show(lab, STRIPES)
    early = lab.camera.get_frame()
    assert early.pattern_id is None
    lab.world.clock.sleep_s(3.0 * declared.total_ms * 1e-3)
    assert not np.array_equal(early.pixels, lab.camera.get_frame().pixels)


def test_light_that_no_patch_modulates_adds_the_picture_of_a_flat_panel() -> None:
    lab = laboratory()
    modulated, flat = (lab.world.light_path.plane(_phases(lab, p)) for p in (STRIPES, FLAT))
    mixed = laboratory(perfect(slm={"unmodulated": 0.3}))
    assert mixed.world.light_path.plane(_phases(mixed, STRIPES)) == pytest.approx(
        0.7 * modulated + 0.3 * flat, abs=1e-4
    )


def test_a_window_before_the_camera_adds_a_displaced_image() -> None:
    lab, doubled = laboratory(), laboratory(perfect(relay={"ghost": 0.1, "ghost_px": 7.0}))
    one, both = (counts(each.camera.get_frame()) for each in (lab, doubled))
    aside = round(7.0 / np.sqrt(2.0))
    assert (both - one)[aside:, aside:] == pytest.approx(0.1 * one[:-aside, :-aside], abs=1.5)
    assert (both - one)[:aside] == pytest.approx(0.0, abs=1e-9)


def test_grains_before_the_sensor_darken_pixels_and_grains_on_the_panel_the_light() -> None:
    clean = laboratory()
    lab = laboratory(perfect(camera={"dust": 3}))
    behind = lab.world.truth.sensor_dust == 0.0
    assert 3 * 15 < behind.sum() <= 3 * 25
    seen, whole = counts(lab.camera.get_frame()), counts(clean.camera.get_frame())
    assert (seen[behind] < 1.0).all()
    assert np.array_equal(seen[~behind], whole[~behind])
    dusty = laboratory(perfect(slm={"dust": 4}))
    dark = (dusty.world.truth.panel_dust == 0.0).mean(axis=(1, 2))
    assert (dark > 0.03).all()
    assert counts(dusty.camera.get_frame()).sum() < 0.95 * whole.sum()


def test_another_pitch_is_a_longer_path_and_a_smaller_image() -> None:
    """Light knows gap * wavelength / pitch^2 alone, and the camera the size of the pixels."""
    settings = MockSettings(threads=1).only("slm.pitch_error")
    part = settings.slm.model_copy(update={"pitch_error": 0.02})
    truth = draw_truth(GEOMETRY, settings.model_copy(update={"slm": part}), 3)
    right = draw_truth(GEOMETRY, settings.off(), 3)
    share = 1.0 + truth.pitch_off
    assert truth.pitch_off != 0.0
    assert truth.camera_matrix == pytest.approx(share * right.camera_matrix)
    scaled = dataclasses.replace(
        right, z_gap_mm=right.z_gap_mm / share**2, waists_mm=right.waists_mm / share
    )
    planes = [np.ones(GEOMETRY.patch_shape, np.complex64)] * 2
    there, here = (
        CavityOptics(GEOMETRY, each).intensity(planes[0], planes[1:]) for each in (truth, scaled)
    )
    assert there / there.sum() == pytest.approx(here / here.sum(), abs=2e-6)


def test_power_ripples_with_its_frequency() -> None:
    lab = laboratory(perfect(drift={"ripple": 0.1, "ripple_hz": 2.0}))
    times_s = np.arange(0.0, 1.0, 0.01)
    power = np.array([lab.world.drift.at(t).power for t in times_s])
    assert power == pytest.approx(0.1 * np.sin(4.0 * np.pi * times_s), abs=1e-12)


def _phases(lab: MockLaboratory, panel: np.ndarray) -> np.ndarray:
    return np.stack([panel[place] for place in lab.world.geometry.patches]).astype(np.float32)
