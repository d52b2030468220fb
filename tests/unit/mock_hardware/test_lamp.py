"""A lamp in the room, automatic gain, mode hops: light and counts that do not follow the patterns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mock_hardware.drift import ModeHops
from mock_hardware.lamp import Lamp
from tests.unit.mock_hardware.camera_bench import LARGEST, counts, laboratory


def test_a_lamp_adds_its_share_of_full_scale_with_the_laser_on_and_off() -> None:
    lab = laboratory()
    lab.camera.exposure_ms = 1.0
    lit = counts(lab.camera.get_frame())
    lab.world.lamp = Lamp(0.04)
    added = counts(lab.camera.get_frame()) - lit
    assert added == pytest.approx(0.02 * (LARGEST + 1), abs=1.0)
    lab.laser.emission = False
    lab.world.clock.sleep_s(1.0)
    assert counts(lab.camera.get_frame()) == pytest.approx(0.02 * (LARGEST + 1), abs=1.0)


def test_a_lamp_is_dark_before_it_is_switched_on_and_warms_up() -> None:
    lamp = Lamp(0.1, from_s=5.0, warm_up_s=10.0)
    assert lamp.share(4.9, 2e-3) == 0.0
    assert lamp.share(15.0, 2e-3) == pytest.approx(0.1 * (1.0 - math.exp(-1.0)))
    assert lamp.share(1e4, 1e-3) == pytest.approx(0.05)


def test_automatic_gain_brings_bright_pixels_nearer_to_the_middle() -> None:
    lab = laboratory()
    lab.camera.exposure_ms = 1.0
    plain = counts(lab.camera.get_frame())
    fill = np.quantile(plain, 0.99) / (LARGEST + 1)
    lab.world.automatic_gain = 0.5
    gained = counts(lab.camera.get_frame())
    expected = plain * (0.5 / fill) ** 0.5
    assert gained == pytest.approx(np.minimum(expected, LARGEST), abs=2.0)


def test_mode_hops_alternate_between_two_powers_and_depend_on_the_seed_alone() -> None:
    hops = ModeHops(0.1, 2.0, [3])
    times_s = np.arange(0.0, 4000.0, 0.5)
    power = np.array([hops(t) for t in times_s])
    assert set(power) == {0.0, -0.1}
    assert power[0] == 0.0
    assert np.mean(power == -0.1) == pytest.approx(0.5, abs=0.05)
    changed = np.mean(np.diff(power) != 0.0)
    # An odd number of hops in half a second, at one in 2 s (Poisson).
    assert changed == pytest.approx((1.0 - math.exp(-2.0 * 0.5 / 2.0)) / 2.0, rel=0.1)
    again = ModeHops(0.1, 2.0, [3])
    assert [again(t) for t in times_s[::-7]] == [hops(t) for t in times_s[::-7]]
    assert ModeHops(0.0, 2.0, [3])(100.0) == 0.0
