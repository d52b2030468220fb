"""The statistics of diagnosis, on residuals that are made for them."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.frame_residual import (
    changes_at,
    one_picture,
    response_of_pixels,
    roughness,
    second_image,
    two_levels,
)

RNG = np.random.default_rng(5)
MODEL = RNG.gamma(2.0, 0.5, (20, 32, 32))


@pytest.mark.parametrize("moment", [4, 17, 26])
def test_frames_that_are_missed_from_one_moment_on_are_a_change(moment: int) -> None:
    d = RNG.uniform(0.001, 0.01, 30)
    d[moment:] = RNG.uniform(0.5, 0.8, 30 - moment)
    assert changes_at(d) == moment


def test_frames_that_are_all_predicted_or_all_missed_are_no_change() -> None:
    assert changes_at(RNG.uniform(0.001, 0.01, 30)) == 0
    assert changes_at(RNG.uniform(0.3, 0.6, 30)) == 0
    # Strong patterns, which come last, are missed by more than weak ones.
    assert changes_at(np.concatenate([np.full(10, 0.045), np.full(20, 0.4)])) == 0
    assert changes_at(np.array([0.01, 0.5])) == 0


def test_slow_courses_are_smooth_and_independent_ones_rough() -> None:
    noise = [RNG.normal(0.0, 0.1, 200) for _ in range(3)]
    assert roughness(noise) == pytest.approx(1.0, abs=0.15)
    assert roughness([np.cumsum(course) for course in noise]) < 0.1


def test_two_levels_explain_hops_and_not_noise() -> None:
    hops = [0.1 * (np.arange(10) > n) + RNG.normal(0.0, 0.002, 10) for n in (2, 5, 7)]
    assert two_levels(hops) > 0.99
    assert two_levels([RNG.normal(0.0, 0.1, 10) for _ in range(5)]) < 0.85


def test_one_picture_is_distinguished_from_pictures_that_differ() -> None:
    picture = RNG.normal(0.0, 1.0, (32, 32))
    assert one_picture(np.broadcast_to(picture, (20, 32, 32))) == pytest.approx(1.0)
    assert one_picture(RNG.normal(0.0, 1.0, (20, 32, 32))) == pytest.approx(1.0 / 20.0, rel=0.1)


def test_a_dark_pixel_lacks_its_light_in_all_frames() -> None:
    seen = MODEL.copy()
    seen[:, 3, 4] *= 0.2
    share = response_of_pixels(seen - MODEL, MODEL)
    assert share[3, 4] == pytest.approx(-0.8)
    assert np.abs(np.delete(share.ravel(), 3 * 32 + 4)).max() == 0.0


def test_a_displaced_copy_is_found_with_its_strength() -> None:
    copy = 0.1 * np.roll(MODEL, (5, -7), axis=(1, 2))
    strength, sure = second_image(copy, MODEL)
    assert strength == pytest.approx(0.1, rel=0.1)
    assert sure > 12.0
    noise = RNG.normal(0.0, 0.1, MODEL.shape)
    strength, sure = second_image(noise, MODEL)
    assert strength < 0.02
    assert sure < 8.0
