"""From radians to grey levels."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import DeviceValueError
from drivers.phase_quantiser import TURN_RAD, PhaseQuantiser, check_pattern


@pytest.mark.parametrize("bits", [8, 10])
def test_any_phase_comes_back_within_half_a_level(bits: int) -> None:
    wanted = np.random.default_rng(0).uniform(-50.0, 50.0, (40, 50))
    got = PhaseQuantiser(bits)(wanted) * TURN_RAD / 2**bits
    error = np.angle(np.exp(1j * (got - wanted)))
    # Half a level, and half a step of the tabulated inverse.
    assert np.abs(error).max() <= (0.5 / 2**bits + 0.5 / 4096) * TURN_RAD * 1.01


def test_a_panel_that_reaches_beyond_a_turn_is_used_over_one_turn_only() -> None:
    table = np.linspace(0.0, 1.12 * TURN_RAD, 256)
    slowly = np.linspace(0.0, TURN_RAD, 2000, endpoint=False)
    phase = table[PhaseQuantiser(8, table)(slowly)]
    assert phase.max() < TURN_RAD
    # A smooth ramp stays smooth: the only fall is the one at the end of the turn.
    assert (np.diff(phase) < -0.1).sum() <= 1


def test_realised_phases_are_those_of_the_levels_chosen_and_stay_when_shown_again() -> None:
    table = 1.1 * TURN_RAD * np.linspace(0.0, 1.0, 256) ** 1.1
    quantise = PhaseQuantiser(8, table)
    wanted = np.random.default_rng(1).uniform(-10.0, 10.0, (30, 30))
    realised = quantise.realised(wanted)
    np.testing.assert_array_equal(realised, table[quantise(wanted)].astype(np.float32))
    np.testing.assert_array_equal(quantise.realised(realised), realised)


def test_tables_and_patterns_that_cannot_be_are_refused() -> None:
    with pytest.raises(DeviceValueError, match="needs 256 finite phases"):
        PhaseQuantiser(8, np.zeros(255))
    with pytest.raises(DeviceValueError, match="the panel is"):
        check_pattern("x", np.zeros((2, 3)), (3, 2))
