"""Ambient light, power and automatic gain: what is found, and which cause the verdict names."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from calibration.dark import DarkLevel, frames_behind, measure_dark
from calibration.result import Verdict
from calibration.steady_light import POWER, SteadyLight, gain_exponent, power_in_a_minute
from mock_hardware.lamp import Lamp
from mock_hardware.settings import MockSettings
from tests.support.mock_bench import laboratory, result_of

STEADY = SteadyLight(0.012, 0.004, 0.001, 3.0, 0.01, -0.01, 0.1, 1e-5)


@pytest.mark.parametrize(
    ("changes", "level", "cause"),
    [
        ({}, "pass", "offset"),
        ({"offset": 0.3}, "fail", "ambient light"),
        ({"offset": -0.3}, "fail", "ambient light"),
        ({"dark_change": 0.03, "offset": 0.3}, "fail", "laser off"),
        ({"dark_change": -0.002}, "warn", "laser off"),
        ({"scale_scatter": 0.07}, "fail", "the laser's power"),
        ({"scale_scatter": 0.07, "gain_exponent": -0.5, "explained": 0.9}, "fail", "gain"),
        ({"scale_scatter": 0.07, "gain_exponent": -0.5, "explained": 0.1}, "fail", "power"),
        ({"scale_scatter": 0.022, "discrepancy": 0.021}, "warn", "no parameter of the twin"),
        ({"scale_scatter": 0.022, "discrepancy": 0.002}, "fail", "power is not steady"),
        ({"scale_scatter": 0.022, "discrepancy": 0.021, "power_scatter": 0.01}, "fail", "power"),
        ({"power_minute": 0.08}, "warn", "power wanders"),
        ({"power_scatter": 0.05}, "fail", "power wanders"),
        ({"clipped": 0.04}, "warn", "saturated"),
        ({"clipped": 0.3}, "fail", "saturated"),
    ],
)
def test_the_verdict_names_the_cause(changes: dict[str, float], level: str, cause: str) -> None:
    verdict = dataclasses.replace(STEADY, **changes).verdict()
    assert verdict.level == level
    assert cause in verdict.reason


def test_what_is_not_known_is_no_failure() -> None:
    assert SteadyLight().verdict().level == "pass"


def test_the_gain_exponent_is_that_of_the_scales() -> None:
    rng = np.random.default_rng(0)
    brightness = rng.normal(0.0, 0.2, 50)
    exponent, explained = gain_exponent(-0.3 * brightness, brightness)
    assert exponent == pytest.approx(-0.3)
    assert explained == pytest.approx(1.0)
    _, by_chance = gain_exponent(rng.normal(0.0, 0.05, 50), brightness)
    assert by_chance < 0.2
    assert gain_exponent(np.zeros(3), np.zeros(3)) == (0.0, 0.0)


def test_a_power_that_wanders_is_found_by_its_steps() -> None:
    """A random walk of 10 % rms in a minute, at six times within 3 s; a healthy one has 1 %."""
    found: dict[float, list[float]] = {0.1: [], 0.01: []}
    rng = np.random.default_rng(2)
    seconds = np.linspace(0.0, 3.0, 6)
    for in_a_minute, estimates in found.items():
        for _ in range(1000):
            steps = in_a_minute * np.sqrt(0.6 / 60.0) * rng.standard_normal(5)
            power = 1.0 + np.concatenate([[0.0], np.cumsum(steps)])
            estimates.append(power_in_a_minute(power, seconds))
        assert np.mean(np.square(estimates)) == pytest.approx(in_a_minute**2, rel=0.15)
    assert np.mean(np.array(found[0.1]) > POWER) > 0.9
    assert max(found[0.01]) < POWER


def test_a_lamp_before_the_dark_level_is_warned_of_and_subtracted_at_every_exposure() -> None:
    lab = laboratory(3, exposure_ms=2.0)
    lab.world.lamp = Lamp(0.03)
    dark = result_of(measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s))
    assert dark.verdict.level == "warn"
    assert "ambient light" in dark.verdict.reason
    assert lab.camera.exposure_ms == 2.0
    lamp_counts = 0.03 * 2**12 / 2.0
    assert dark.ambient_counts_per_ms == pytest.approx(lamp_counts, rel=0.01)
    lab.laser.emission = False
    lab.world.clock.sleep_s(0.1)
    for exposure_ms in (0.5, 1.3, 4.0):
        lab.camera.exposure_ms = exposure_ms
        counts = np.median(lab.camera.get_frame().pixels)
        assert dark.pedestal_at(exposure_ms) == pytest.approx(counts, abs=1.5)


def test_a_dark_level_without_its_exposure_is_the_same_at_every_one() -> None:
    assert DarkLevel(80.0, 0.1, 2.0, Verdict("pass", "")).pedestal_at(3.0) == 80.0


@pytest.mark.parametrize("late", [1, 2])
def test_a_camera_that_is_late_shows_light_after_the_laser_is_off(late: int) -> None:
    camera = MockSettings().camera.model_copy(update={"frames_late": late})
    lab = laboratory(3, MockSettings().model_copy(update={"camera": camera}), exposure_ms=2.0)
    for _ in range(3):
        lab.camera.get_frame()
    verdict = result_of(measure_dark(lab.camera, lab.laser, lab.world.clock.sleep_s)).verdict
    assert verdict.level == "fail"
    assert verdict.signs == ("frames from before",)
    assert verdict.reason.startswith(f"{late} of 16 frames")


def test_levels_that_rise_or_stay_show_no_light_from_before() -> None:
    rising = 80.0 + np.linspace(0.0, 60.0, 16)
    assert frames_behind(rising, 4.0) == 0
    assert frames_behind(np.full(16, 80.0), 4.0) == 0
    assert frames_behind(np.array([900.0, 700.0, *np.full(14, 80.0)]), 4.0) == 2
