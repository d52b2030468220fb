from __future__ import annotations

import numpy as np
import pytest

from gui.plots.column import Column
from gui.plots.running_mean import RunningMean, running_mean


def column_of(values: np.ndarray) -> Column:
    column = Column()
    column.extend(values)
    return column


def test_what_is_appended_is_there() -> None:
    column = Column()
    for number in range(1000):
        column.append(float(number))
    column.extend(np.arange(1000, 3000))
    np.testing.assert_array_equal(column.values, np.arange(3000))
    column.cut(700)
    column.append(-1.0)
    assert len(column) == 701
    assert column.bounds() == (-1.0, 699.0)


@pytest.mark.parametrize("first, last", [(0, 100_000), (777, 90_001), (50_000, 50_300), (-5, 10)])
@pytest.mark.parametrize("count", [1, 127, 128, 100_000])
def test_no_peak_is_lost(first: int, last: int, count: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal(count)
    places, seen = column_of(values).peaks(first, last, 200)
    inside = values[max(first, 0) : last]
    assert len(places) == len(seen) <= 2 * 200 + 300
    if len(inside):
        assert seen.max() >= inside.max() and seen.min() <= inside.min()
        assert (np.diff(places) >= 0).all()
        assert places[0] >= max(first, 0) - 128 and places[-1] < count


def test_a_single_spike_among_a_million_is_seen_after_it_came() -> None:
    column = column_of(np.ones(1_000_000))
    assert column.bounds() == (1.0, 1.0)
    column.append(7.0)
    column.extend(np.ones(500_000))
    places, seen = column.peaks(0, len(column), 1000)
    assert seen.max() == 7.0
    assert abs(places[int(np.argmax(seen))] - 1_000_000) < 1500


def test_what_is_not_a_number_hides_nothing_beside_it() -> None:
    values = np.full(100_000, np.nan)
    values[60_000::2] = 3.0
    places, seen = column_of(values).peaks(0, 100_000, 100)
    assert np.isnan(seen[places < 58_000]).all()
    assert (seen[places >= 60_000] == 3.0).all()
    assert column_of(values).bounds() == (3.0, 3.0)
    assert column_of(np.full(300, np.nan)).bounds() is None


def test_bounds_above_zero() -> None:
    assert column_of(np.array([0.0, -2.0, 0.5, 4.0])).bounds(positive=True) == (0.5, 4.0)
    assert column_of(np.zeros(5)).bounds(positive=True) is None


@pytest.mark.parametrize("width", [3, 11, 101])
def test_the_mean_is_the_mean_of_the_window(width: int) -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal(300)
    values[rng.random(300) < 0.2] = np.nan
    half = width // 2
    expected = [
        np.nan if np.isnan(values[k]) else np.nanmean(values[max(k - half, 0) : k + half + 1])
        for k in range(300)
    ]
    np.testing.assert_allclose(running_mean(values, width), expected, atol=1e-12)


def test_a_line_stays_where_it_is() -> None:
    line = np.linspace(0.0, 1.0, 500)
    np.testing.assert_allclose(running_mean(line, 21)[10:-10], line[10:-10])


def test_following_gives_what_all_at_once_gives() -> None:
    rng = np.random.default_rng(3)
    source = Column()
    mean = RunningMean(source, 21)
    for count in (1, 5, 40, 3, 200, 1, 1):
        source.extend(rng.standard_normal(count))
        np.testing.assert_allclose(
            mean.column().values, running_mean(source.values, 21), atol=1e-12
        )
