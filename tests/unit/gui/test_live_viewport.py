from __future__ import annotations

import pytest

from gui.live.rates import WINDOW_S, Rate
from gui.live.viewport import MOST_SCALE, Viewport


def test_fit_shows_the_whole_part_centred() -> None:
    view = Viewport.fit(100, 200, 600, 800, (400.0, 400.0))
    assert view.scale == 0.5
    assert view.point(100, 200) == pytest.approx((0.0, 50.0))
    assert view.point(700, 1000) == pytest.approx((400.0, 350.0))


def test_place_and_point_are_inverse() -> None:
    view = Viewport(0.37, -12.0, 55.0)
    assert view.point(*view.place(101.0, 7.0)) == pytest.approx((101.0, 7.0))


def test_zoom_keeps_what_lies_under_the_mouse() -> None:
    view = Viewport(0.5, 10.0, 20.0)
    assert view.zoomed(3.0, 120.0, 80.0).place(120.0, 80.0) == pytest.approx(
        view.place(120.0, 80.0)
    )
    assert view.zoomed(1e9, 0.0, 0.0).scale == MOST_SCALE


def test_a_widget_without_a_size_breaks_nothing() -> None:
    assert Viewport.fit(0, 0, 10, 10, (0.0, 0.0)).scale == 1.0


def test_a_rate_is_that_of_the_clock_and_falls_when_nothing_comes() -> None:
    rate = Rate()
    for frame in range(90):
        rate.add(frame / 30.0)
    assert rate.count == 90
    assert rate.per_s(89 / 30.0) == pytest.approx(30.0)
    assert rate.per_s(89 / 30.0 + 1.0) < 25.0
    assert rate.per_s(89 / 30.0 + WINDOW_S + 1.0) == 0.0
