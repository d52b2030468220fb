"""The liquid crystal against the settings that describe it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mock_hardware.crystal import LiquidCrystal
from mock_hardware.settings import MockSlmSettings

TURN_RAD = 2.0 * np.pi
ROWS = 5
SHARE = np.linspace(0.1, 0.9, ROWS)
GRID_S = 2e-6
Array = npt.NDArray[np.float64]


def panel(phase_rad: float) -> npt.NDArray[np.float32]:
    return np.full((2, ROWS, 3), phase_rad, np.float32)


def crystal(start_rad: float = 0.0, **settings: Any) -> LiquidCrystal:
    return LiquidCrystal(MockSlmSettings(**settings), panel(start_rad), SHARE)


def times(start_s: float, duration_s: float, step_s: float = GRID_S) -> Array:
    return start_s + np.arange(0.0, duration_s, step_s)


def trace(lc: LiquidCrystal, when_s: Array, row: int = 0) -> Array:
    """Phase of one pixel at each moment."""
    return np.array([lc.phase(float(t))[0, row, 0] for t in when_s], dtype=np.float64)


def ten_to_ninety_ms(start_rad: float, target_rad: float, **settings: Any) -> float:
    """Read off the curve of the first row."""
    lc = crystal(start_rad, scan_ms=0.0, **settings)
    when_s = times(lc.show(1, panel(target_rad), 0.0), 0.02, 1e-5)
    done = (trace(lc, when_s) - start_rad) / (target_rad - start_rad)
    ten, ninety = np.interp([0.1, 0.9], done, when_s)
    return float(ninety - ten) * 1e3


@pytest.mark.parametrize(("rise_ms", "fall_ms"), [(4.0, 7.0), (2.0, 1.5)])
def test_a_full_step_takes_rise_ms_upwards_and_fall_ms_downwards(
    rise_ms: float, fall_ms: float
) -> None:
    up = ten_to_ninety_ms(0.0, TURN_RAD, rise_ms=rise_ms, fall_ms=fall_ms)
    down = ten_to_ninety_ms(TURN_RAD, 0.0, rise_ms=rise_ms, fall_ms=fall_ms)
    assert up == pytest.approx(rise_ms, rel=0.01)
    assert down == pytest.approx(fall_ms, rel=0.01)


@pytest.mark.parametrize("slowdown", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("share", [0.01, 0.25, 0.5])
def test_a_small_step_is_slower_by_the_setting(slowdown: float, share: float) -> None:
    settings = {"rise_ms": 4.0, "small_step_slowdown": slowdown}
    slower = ten_to_ninety_ms(0.0, share * TURN_RAD, **settings)
    assert slower == pytest.approx(4.0 * (1.0 + slowdown * (1.0 - share)), rel=0.01)


def test_a_pattern_waits_for_the_next_refresh() -> None:
    lc, period_s = crystal(1.0, refresh_hz=50.0, scan_ms=0.0), 0.02
    refresh_s = lc.show(1, panel(2.0), 0.3 * period_s)
    assert refresh_s == pytest.approx(period_s)
    assert np.all(lc.phase(refresh_s - 1e-6) == 1.0)
    assert np.all(lc.phase(refresh_s + 1e-3) > 1.0)


@pytest.mark.parametrize("stroke", [1, 7, 12345])
def test_a_pattern_that_comes_on_the_stroke_is_in_time(stroke: int) -> None:
    lc = crystal(refresh_hz=60.0)
    now_s = stroke / 60.0
    assert lc.show(1, panel(1.0), now_s) == pytest.approx(now_s, abs=1e-9)
    assert lc.show(2, panel(1.0), now_s + 1e-4) == pytest.approx(now_s + 1.0 / 60.0)


def test_a_pattern_that_is_overtaken_before_its_refresh_never_appears() -> None:
    lc = crystal(1.0)
    lc.show(1, panel(6.0), 1e-3)
    refresh_s = lc.show(2, panel(0.5), 2e-3)
    seen = trace(lc, times(0.0, refresh_s + 0.1, 1e-4), ROWS - 1)
    assert seen.max() == 1.0
    assert lc.phase(refresh_s + 0.1).max() == 0.5


def test_rows_begin_in_order_down_the_panel() -> None:
    lc = crystal(0.0, scan_ms=8.0)
    refresh_s = lc.show(1, panel(TURN_RAD), 1e-3)
    when_s = times(refresh_s - 1e-4, 9e-3, 1e-5)
    seen = np.array([lc.phase(float(t))[0, :, 0] for t in when_s])
    begins_s = when_s[(seen > 0.0).argmax(axis=0)]
    np.testing.assert_allclose(begins_s, refresh_s + SHARE * 8e-3, atol=2e-5)
    middle = seen[np.searchsorted(when_s, refresh_s + 0.5 * 8e-3)]
    assert middle[0] > middle[1] > middle[2] - 1e-6 and middle[3] == middle[4] == 0.0


def test_without_a_scan_all_rows_begin_together() -> None:
    lc = crystal(0.0, scan_ms=0.0)
    refresh_s = lc.show(1, panel(3.0), 0.0)
    phase = lc.phase(refresh_s + 1e-3)
    assert phase.min() == phase.max() > 0.0


def test_pixels_relax_each_by_its_own_step() -> None:
    target = panel(0.0)
    target[0, 0] = [3.0, 1.0, 5.0]
    lc = crystal(3.0, scan_ms=0.0, rise_ms=4.0, fall_ms=7.0)
    refresh_s = lc.show(1, target, 0.0)
    still, down, up = lc.phase(refresh_s + 3e-3)[0, 0]
    assert still == 3.0
    assert 1.0 < down < 3.0 < up < 5.0
    assert (up - 3.0) / 2.0 > (3.0 - down) / 2.0, "upwards is faster"


@pytest.mark.parametrize("target_rad", [0.0, 0.3, TURN_RAD])
@pytest.mark.parametrize("shown_s", [0.0, 1e-6, 0.009, 1.0 / 60.0 - 1e-6])
def test_settled_after_the_time_that_it_declares(shown_s: float, target_rad: float) -> None:
    lc = crystal(2.0)
    lc.show(1, panel(target_rad), shown_s)
    end_s = shown_s + lc.timing.total_ms * 1e-3
    assert np.all(lc.phase(end_s) == np.float32(target_rad))
    assert lc.pattern_during(end_s, end_s + 1.0) == 1


def test_the_declared_time_grows_with_its_parts() -> None:
    timing = crystal().timing
    assert timing.latency_ms == pytest.approx(1e3 / MockSlmSettings().refresh_hz)
    assert crystal(refresh_hz=30.0).timing.latency_ms == pytest.approx(2 * timing.latency_ms)
    assert crystal(scan_ms=10.0).timing.duration_ms == pytest.approx(timing.duration_ms + 2.0)
    assert crystal(fall_ms=14.0).timing.duration_ms > timing.duration_ms
    assert crystal(rise_ms=3.0).timing.duration_ms == timing.duration_ms, "the slower one counts"


def test_a_pattern_is_named_only_while_nothing_moves() -> None:
    lc = crystal(0.0, scan_ms=8.0)
    assert lc.pattern_during(0.0, 10.0) == 0
    refresh_s = lc.show(1, panel(3.0), 1e-3)
    first_row_s = refresh_s + SHARE[0] * 8e-3
    settled_s = 1e-3 + lc.timing.total_ms * 1e-3
    assert lc.pattern_during(0.0, refresh_s) == 0, "it still waits for its refresh"
    assert lc.pattern_during(0.0, first_row_s - 1e-6) == 0
    assert lc.pattern_during(0.0, first_row_s + 1e-6) is None, "the end is torn"
    assert lc.pattern_during(first_row_s + 1e-6, first_row_s + 2e-6) is None
    assert lc.pattern_during(0.0, 1.0) is None, "it changes in between"
    assert lc.pattern_during(settled_s, 1.0) == 1


def test_no_pattern_is_named_while_any_pixel_moves() -> None:
    """The name and the phase agree, whatever the moment."""
    lc = crystal(0.0)
    lc.show(1, panel(3.0), 1e-3)
    named = 0
    for now_s in times(0.0, 0.1, 1e-3):
        before, after = lc.phase(float(now_s)), lc.phase(float(now_s) + 5e-4)
        pattern = lc.pattern_during(float(now_s), float(now_s) + 5e-4)
        if pattern is not None:
            named += 1
            assert np.array_equal(before, after)
            assert np.all(after == (3.0 if pattern else 0.0))
    assert named > 10


def test_a_step_from_the_middle_of_another_begins_where_that_one_was() -> None:
    slow_ms, step_s = 30.0, 5e-5
    lc = crystal(0.0, rise_ms=slow_ms, fall_ms=slow_ms)
    lc.show(1, panel(TURN_RAD), 0.0)
    seen = trace(lc, times(0.0, 0.020, step_s), 2)
    refresh_s = lc.show(2, panel(0.0), 0.020)
    seen = np.concatenate([seen, trace(lc, times(0.020, 0.3, step_s), 2)])
    steepest = TURN_RAD * np.log(9.0) / (slow_ms * 1e-3)
    assert refresh_s == pytest.approx(2.0 / 60.0)
    assert 0.5 < seen.max() < 0.99 * TURN_RAD, "the first pattern is on its way"
    assert np.abs(np.diff(seen)).max() < 1.01 * steepest * step_s, "the phase does not jump"
    assert seen[-1] == 0.0


@pytest.mark.parametrize("scan_ms", [8.0, 40.0])
def test_a_pattern_that_comes_during_a_scan_lets_it_go_on(scan_ms: float) -> None:
    """40 ms is a scan of more than two refreshes: three patterns are then on the panel at once."""
    settings = {"scan_ms": scan_ms, "rise_ms": 30.0, "fall_ms": 30.0}
    lc, alone = crystal(0.0, **settings), crystal(0.0, **settings)
    period_s, step_s = 1.0 / 60.0, 5e-5
    for one in (lc, alone):
        one.show(1, panel(TURN_RAD), period_s)
    middle_s, later_s = period_s + 0.4 * scan_ms * 1e-3, 2.5 * period_s
    before = lc.phase(middle_s)
    assert before[0, 0, 0] > before[0, -1, 0] == 0.0, "it is being scanned"
    assert lc.show(2, panel(1.0), middle_s) == pytest.approx(2.0 * period_s)
    assert np.array_equal(lc.phase(middle_s), before)

    when_s = times(middle_s, 0.5, step_s)
    seen = []
    for now_s in when_s:
        if now_s - step_s < later_s <= now_s:
            lc.show(3, panel(5.0), float(now_s))
        seen.append(lc.phase(float(now_s))[0, :, 0])
    # Until the second pattern's refresh reaches a row, that row does not know of it.
    for row, begins_s in enumerate(2.0 * period_s + SHARE * scan_ms * 1e-3):
        untouched = when_s[when_s < begins_s]
        assert np.array_equal(np.array(seen)[: len(untouched), row], trace(alone, untouched, row))
    steepest = TURN_RAD * np.log(9.0) / 30e-3
    assert np.abs(np.diff(seen, axis=0)).max() < 1.01 * steepest * step_s, "no row jumps"
    assert (seen[-1] == 5.0).all() and lc.pattern_during(1.0, 2.0) == 3


def test_the_reported_pattern_is_the_last_one_in_all_rows() -> None:
    lc = crystal(0.0, scan_ms=8.0)
    refresh_s = lc.show(1, panel(3.0), 1e-3)
    last_row_s = refresh_s + SHARE[-1] * 8e-3
    lc.show(2, panel(1.0), refresh_s + 1e-3)
    told = [lc.pattern(t) for t in (0.0, last_row_s - 1e-6, last_row_s, last_row_s + 1.0 / 60.0)]
    assert told == [0, 0, 1, 2]


def test_a_crystal_without_relaxation_steps_at_once() -> None:
    lc = crystal(0.0, rise_ms=0.0, fall_ms=0.0, scan_ms=0.0)
    refresh_s = lc.show(1, panel(3.0), 1e-3)
    assert lc.phase(refresh_s - 1e-9).max() == 0.0
    assert lc.phase(refresh_s + 1e-6).min() == 3.0
