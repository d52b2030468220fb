"""Ornstein-Uhlenbeck processes against their statistics."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import numpy.typing as npt
import pytest

from mock_hardware.drift import STEP_S, STILL, Drift, Drifted, OrnsteinUhlenbeck
from mock_hardware.settings import MockDriftSettings, MockSettings

Array = npt.NDArray[np.float64]
RMS, TAU_S = 3.0, 20.0
RUNS, STEPS = 8, 12_000
LENGTH = RUNS * STEPS * STEP_S / TAU_S
"""How many correlation times the long record holds."""


@pytest.fixture(scope="module")
def record() -> Array:
    """(RUNS, STEPS) on the grid of time, from where the start is forgotten."""
    runs = [OrnsteinUhlenbeck(RMS, TAU_S, [7, run]) for run in range(RUNS)]
    first = int(20 * TAU_S / STEP_S)
    return np.array([[x((first + i) * STEP_S) for i in range(STEPS)] for x in runs])


def numbers(drifted: Drifted) -> Array:
    return np.concatenate([np.ravel(part) for part in astuple(drifted)])


def correlation(record: Array, lag: int) -> float:
    return float(np.mean(record[:, :-lag] * record[:, lag:]) / RMS**2)


@pytest.mark.parametrize("seed", range(5))
def test_starts_at_zero(seed: int) -> None:
    process = OrnsteinUhlenbeck(RMS, TAU_S, [seed])
    assert process(0.0) == 0.0
    assert process(-5.0) == 0.0
    assert process(STEP_S) != 0.0


def test_values_do_not_depend_on_when_they_are_asked_for() -> None:
    when_s = np.random.default_rng(1).uniform(0.0, 20_000.0, 200)
    forwards, backwards = (OrnsteinUhlenbeck(RMS, TAU_S, [3, 1]) for _ in range(2))
    values = {t: forwards(t) for t in np.sort(when_s)}
    assert {t: backwards(t) for t in np.sort(when_s)[::-1]} == values
    for t in when_s:
        assert OrnsteinUhlenbeck(RMS, TAU_S, [3, 1])(t) == values[t]
        assert forwards(t) == values[t], "asked again"


def test_another_seed_drifts_elsewhere() -> None:
    here, there = OrnsteinUhlenbeck(RMS, TAU_S, [1]), OrnsteinUhlenbeck(RMS, TAU_S, [2])
    when_s = np.arange(1.0, 20_000.0, 2 * TAU_S)
    together = np.corrcoef([here(t) for t in when_s], [there(t) for t in when_s])[0, 1]
    assert abs(together) < 5.0 / np.sqrt(len(when_s))


def test_values_between_two_steps_lie_on_the_line() -> None:
    process = OrnsteinUhlenbeck(RMS, TAU_S, [4])
    before, after = process(10 * STEP_S), process(11 * STEP_S)
    for share in (0.25, 0.5, 0.9):
        between = process((10 + share) * STEP_S)
        assert between == pytest.approx(before + share * (after - before))


def test_mean_and_rms_are_those_of_the_stationary_process(record: Array) -> None:
    # Integrated over the correlation: var(mean) = 2 rms^2 / L, var(mean square) = 2 rms^4 / L.
    assert abs(record.mean()) < 4.0 * RMS * np.sqrt(2.0 / LENGTH)
    share = np.mean(record**2) / RMS**2
    assert abs(share - 1.0) < 4.0 * np.sqrt(2.0 / LENGTH)


@pytest.mark.parametrize("times_tau", [0.05, 0.5, 1.0, 2.0])
def test_correlation_falls_exponentially(record: Array, times_tau: float) -> None:
    lag = round(times_tau * TAU_S / STEP_S)
    sigma = np.sqrt(2.0 / LENGTH)
    assert correlation(record, lag) == pytest.approx(np.exp(-times_tau), abs=4.0 * sigma)


def test_increments_are_white_and_have_the_size_of_the_exact_process(record: Array) -> None:
    keep = np.exp(-STEP_S / TAU_S)
    kicks = record[:, 1:] - keep * record[:, :-1]
    assert np.std(kicks) == pytest.approx(
        RMS * np.sqrt(1.0 - keep**2), rel=4.0 / np.sqrt(2.0 * kicks.size)
    )
    neighbours = np.mean(kicks[:, 1:] * kicks[:, :-1]) / np.var(kicks)
    assert abs(neighbours) < 4.0 / np.sqrt(kicks.size)


def test_wanders_off_from_zero_as_the_law_says() -> None:
    """rms(t)^2 = rms^2 (1 - exp(-2 t / tau)): as from any point."""
    runs = [OrnsteinUhlenbeck(RMS, 100.0, [run, 9]) for run in range(400)]
    for now_s in (2.0, 20.0, 100.0):
        square = np.mean([x(now_s) ** 2 for x in runs])
        expected = RMS**2 * (1.0 - np.exp(-2.0 * now_s / 100.0))
        assert square == pytest.approx(expected, rel=4.0 * np.sqrt(2.0 / len(runs)))


def test_without_rms_nothing_drifts() -> None:
    process = OrnsteinUhlenbeck(0.0, TAU_S, [1])
    assert [process(t) for t in (0.0, 1.0, 1e6)] == [0.0, 0.0, 0.0]
    drift = Drift(MockSettings().off().drift, seed=1)
    assert np.array_equal(numbers(drift.at(1e4)), numbers(STILL))


def test_the_laboratory_drifts_from_its_seed_and_begins_still() -> None:
    drift = Drift(MockDriftSettings(), seed=5)
    assert np.array_equal(numbers(drift.at(0.0)), numbers(STILL))
    later = numbers(drift.at(300.0))
    assert np.all(later != 0.0)
    assert len(set(np.abs(later))) == len(later), "no two quantities share a stream"
    assert np.array_equal(numbers(Drift(MockDriftSettings(), seed=5).at(300.0)), later)
    assert np.all(numbers(Drift(MockDriftSettings(), seed=6).at(300.0)) != later)


def test_each_setting_moves_its_own_quantity_in_proportion() -> None:
    whole = MockDriftSettings()
    at = Drift(whole, seed=2).at(500.0)
    settings = {
        "beam_urad": "beam_rad",
        "mirror_urad": "mirror_rad",
        "power": "power",
        "wavelength_nm": "wavelength_nm",
        "temperature_k": "temperature_k",
    }
    for setting, quantity in settings.items():
        doubled = whole.model_copy(update={setting: 2.0 * getattr(whole, setting)})
        then = Drift(doubled, seed=2).at(500.0)
        for other in settings.values():
            factor = 2.0 if other == quantity else 1.0
            np.testing.assert_allclose(getattr(then, other), factor * getattr(at, other))


def test_angles_are_microradians_of_the_setting() -> None:
    settings = MockDriftSettings(beam_urad=40.0, mirror_urad=10.0, angle_minutes=0.05)
    seen = [Drift(settings, seed).at(3600.0) for seed in range(300)]
    for angle, rms_rad in (("beam_rad", 40e-6), ("mirror_rad", 10e-6)):
        square = np.mean([getattr(drifted, angle) ** 2 for drifted in seen])
        assert square == pytest.approx(rms_rad**2, rel=4.0 * np.sqrt(2.0 / 600))
