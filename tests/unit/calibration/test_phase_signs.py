"""Signs in the frames of a phase response, on frames that are made for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from calibration.phase_signs import response_signs, stands_still

Array = npt.NDArray[np.float64]
LEVELS, PIXELS = 64, 400
ORDER = np.random.default_rng(1).permutation(LEVELS)
PHASE = np.linspace(0.0, 2.2 * np.pi, LEVELS)


def frames(phase: Array = PHASE, seed: int = 0) -> Array:
    """Every pixel sees its own a + b cos + c sin, and some noise."""
    rng = np.random.default_rng(seed)
    b, c = rng.normal(0.0, 30.0, (2, PIXELS))
    light = 200.0 + np.outer(np.cos(phase), b) + np.outer(np.sin(phase), c)
    return light + rng.normal(0.0, 1.0, light.shape)


def test_a_right_response_has_no_sign() -> None:
    signs, scatter = response_signs(frames(), ORDER, PHASE)
    assert signs == []
    assert scatter < 1e-3


def test_a_picture_that_stands_still_is_seen() -> None:
    in_time = frames()[ORDER]
    assert not stands_still(in_time)
    in_time[30:] = in_time[30] + np.random.default_rng(2).normal(0.0, 1.0, in_time[30:].shape)
    assert stands_still(in_time)


def test_pictures_that_change_at_one_moment_jump() -> None:
    seen = frames()
    late = np.argsort(ORDER) >= 40
    seen[late] += np.random.default_rng(3).normal(0.0, 15.0, PIXELS)
    signs, _ = response_signs(seen, ORDER, PHASE)
    assert signs == ["pictures jump"]


def test_phases_that_differ_at_random_scatter() -> None:
    flickering = PHASE + np.random.default_rng(4).normal(0.0, 0.15, LEVELS)
    signs, _ = response_signs(frames(flickering), ORDER, flickering)
    assert signs == ["levels scatter"]


def test_a_phase_that_falls_is_no_scatter() -> None:
    folded = np.minimum(PHASE, 2.0 * PHASE[42] - PHASE)
    signs, _ = response_signs(frames(folded), ORDER, folded)
    assert signs == ["response falls"]


def test_power_that_wanders_is_a_scatter_of_the_brightness() -> None:
    walk = np.cumsum(np.random.default_rng(6).normal(0.0, 0.004, LEVELS))
    power = np.empty(LEVELS)
    power[ORDER] = 1.0 + walk
    _, scatter = response_signs(power[:, None] * frames(), ORDER, PHASE)
    assert scatter == pytest.approx(walk.std(), rel=0.35)
