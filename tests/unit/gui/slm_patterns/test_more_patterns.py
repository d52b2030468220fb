"""Uniform, two-level, binary, vortex, random and aperture patterns by their diffraction; their places."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.types import Roi
from gui.slm_patterns.hologram_target import text_target
from gui.slm_patterns.phase_patterns import (
    aperture,
    binary_grating,
    random_phase,
    two_level,
    uniform_phase,
    vortex,
)
from gui.slm_patterns.placement import centred, fitted, in_patches, placed
from labdiff.errors import UserError

SHAPE = (48, 64)


def far_field(phase_rad: np.ndarray) -> np.ndarray:
    """Return the share of the light in each order; [0, 0] is the zero order."""
    spectrum = np.abs(np.fft.fft2(np.exp(1j * phase_rad.astype(float)))) ** 2
    return spectrum / spectrum.sum()


def test_a_binary_grating_of_pi_has_no_zero_order_and_the_known_first_ones() -> None:
    orders = far_field(binary_grating(SHAPE, 16.0, np.pi))
    assert orders[0, 0] < 1e-12
    # Each first order of an ideal binary grating has (2 / pi)^2; pixels make it a little less.
    assert orders[0, 4] == pytest.approx((2 / np.pi) ** 2, rel=0.02)
    assert orders[0, 4] == pytest.approx(orders[0, -4])
    turned = far_field(binary_grating(SHAPE, 16.0, np.pi, 90.0))
    assert turned[3, 0] == pytest.approx((2 / np.pi) ** 2, rel=0.02)
    with pytest.raises(ValueError, match="allowed is 2 or more"):
        binary_grating(SHAPE, 1.0, np.pi)


def test_two_levels_are_two_halves() -> None:
    step = two_level(SHAPE, 0.5, 2.0)
    assert (step[:, :32] == 0.5).all() and (step[:, 32:] == 2.0).all()
    down = two_level(SHAPE, 0.5, 2.0, 90.0)
    assert (down[:24] == 0.5).all() and (down[24:] == 2.0).all()
    assert far_field(two_level(SHAPE, 0.0, np.pi))[0, 0] < 1e-12, "the halves cancel each other"
    assert (uniform_phase(SHAPE, 1.25) == 1.25).all()


@pytest.mark.parametrize("charge", [1, -2])
def test_a_vortex_winds_as_often_as_its_charge_and_is_dark_in_the_middle(charge: int) -> None:
    phase = vortex((64, 64), charge)
    angles = np.linspace(0.0, 2.0 * np.pi, 400)
    rows = np.round(31.5 + 20.0 * np.sin(angles)).astype(int)
    columns = np.round(31.5 + 20.0 * np.cos(angles)).astype(int)
    wound = np.unwrap(phase[rows, columns])
    # The ring's places are those of pixels, so its end is not quite its start.
    assert (wound[-1] - wound[0]) / (2.0 * np.pi) == pytest.approx(charge, abs=0.02)
    assert far_field(phase)[0, 0] < 1e-3


def test_random_phases_are_even_in_squares_and_the_seed_decides() -> None:
    phase = random_phase((60, 90), 4, 2.0 * np.pi, 3)
    assert (phase[:4, :4] == phase[0, 0]).all() and phase[0, 0] != phase[0, 4]
    assert phase.min() >= 0.0 and phase.max() <= 2.0 * np.pi
    assert phase.mean() == pytest.approx(np.pi, abs=0.3)
    np.testing.assert_array_equal(phase, random_phase((60, 90), 4, 2.0 * np.pi, 3))
    assert (phase != random_phase((60, 90), 4, 2.0 * np.pi, 4)).any()
    with pytest.raises(ValueError, match="1 or more"):
        random_phase(SHAPE, 0, 1.0, 0)


def test_an_aperture_keeps_its_circle_and_sends_the_rest_away() -> None:
    phase = aperture((64, 64), 20.0, x_px=5.0)
    assert not phase[32, 30:43].any() and phase[5, 5] != phase[5, 6]
    low = np.fft.fftshift(far_field(phase))[16:48, 16:48].sum()
    assert low == pytest.approx(np.pi * 100.0 / 64**2, rel=0.1), "the share of the circle"


def test_a_pattern_goes_into_its_patches_alone() -> None:
    base = np.full(SHAPE, 7.0, np.float32)
    patches = (Roi(2, 3, 10, 12), Roi(20, 30, 10, 12))
    panel = in_patches(base, [np.zeros((10, 12)), np.ones((10, 12))], patches)
    assert (panel[2:12, 3:15] == 0.0).all() and (panel[20:30, 30:42] == 1.0).all()
    assert (panel == 7.0).sum() == SHAPE[0] * SHAPE[1] - 240 and (base == 7.0).all()


def test_a_file_of_another_size_is_placed_scaled_and_cut_off() -> None:
    pattern = np.arange(6, dtype=np.float32).reshape(2, 3) + 1.0
    panel = placed(pattern, (8, 10), (1, 2), 2.0)
    np.testing.assert_array_equal(panel[1:5, 2:8], pattern.repeat(2, 0).repeat(2, 1))
    assert panel.sum() == 4.0 * pattern.sum()
    cut = placed(pattern, (8, 10), (-1, 8), 1.0)
    assert cut[0].tolist() == [0.0] * 8 + [4.0, 5.0] and cut.sum() == 9.0
    with pytest.raises(ValueError, match="nothing of it lies on the panel"):
        placed(pattern, (8, 10), (20, 0), 1.0)
    assert fitted((2, 3), (8, 12)) == (4.0, (0, 0)) and centred((2, 3), (8, 10), 1.0) == (3, 3)
    half = placed(np.arange(16.0).reshape(4, 4), (4, 4), (0, 0), 0.5)
    assert half[:2, :2].tolist() == [[5.0, 7.0], [13.0, 15.0]]


def test_a_text_is_drawn_within_the_image(qapp: object) -> None:
    target = text_target("Ab", (40, 60))
    rows, columns = np.nonzero(target > 0.5)
    assert target.shape == (40, 60) and target.max() == 1.0
    assert rows.min() > 0 and rows.max() < 39 and columns.min() > 0 and columns.max() < 59
    assert (target != text_target("Ac", (40, 60))).any()
    with pytest.raises(UserError, match="Text: is empty"):
        text_target("  ", (40, 60))
