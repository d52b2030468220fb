"""One curve: its values, faint, and their running mean in full colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from gui import style
from gui.plots.column import Column, Floats
from gui.plots.running_mean import RunningMean

Colour = Callable[[], str]
FAINT = 70
"""Opacity of 255 of values behind their mean."""
BAND = 45
"""Opacity of 255 of a band of deviations."""


class Curve:
    """A curve over steps 0, 1, 2 ... in a plot.

    Args:
        plot: pyqtgraph's plot.
        name: Name of the curve.
        colour: Returns the colour; called again when the theme changes.
        spread: The curve has a band of one deviation about it.
    """

    def __init__(self, plot: pg.PlotItem, name: str, colour: Colour, spread: bool = False) -> None:
        self.name, self.values = name, Column()
        self._plot, self.colour = plot, colour
        self._mean: RunningMean | None = None
        self._low, self._high = Column(), Column()
        self._band = pg.PlotCurveItem(connect="finite", fillLevel="enclosed") if spread else None
        self._raw = pg.PlotCurveItem(connect="finite")
        self._main = pg.PlotCurveItem(connect="finite", name=name)
        for item in self._items():
            plot.addItem(item, ignoreBounds=True)
        self.paint()

    def append(self, value: float | None, deviation: float | None = None) -> None:
        """Append the next step; None where nothing was measured."""
        value = np.nan if value is None else value
        self.values.append(value)
        if self._band is not None:
            spread = 0.0 if deviation is None or not np.isfinite(deviation) else deviation
            self._low.append(value - spread)
            self._high.append(value + spread)

    def extend(self, values: Floats, deviations: Floats | None = None) -> None:
        """Append many steps."""
        self.values.extend(values)
        if self._band is not None:
            spread = np.zeros(len(values)) if deviations is None else np.nan_to_num(deviations)
            self._low.extend(values - spread)
            self._high.extend(values + spread)

    def clear(self) -> None:
        """Forget all steps."""
        for column in (self.values, self._low, self._high):
            column.cut(0)
        if self._mean is not None:
            self.smooth(self._mean.width)

    def smooth(self, width: int) -> None:
        """Draw the mean of `width` steps in full colour, and the values faint; one step for no mean."""
        self._mean = RunningMean(self.values, width) if width > 1 else None
        self._raw.setVisible(self._mean is not None)

    @property
    def shown(self) -> Column:
        """Values in full colour."""
        return self.values if self._mean is None else self._mean.column()

    def bounds(self, positive: bool) -> tuple[float, float] | None:
        """Return the least and the greatest value drawn."""
        if self._band is None:
            return self.values.bounds(positive)
        low, high = self._low.bounds(positive), self._high.bounds(positive)
        return (low[0], high[1]) if low and high else None

    def draw(self, first: int, last: int, most: int, log: bool) -> None:
        """Show steps [first, last).

        Args:
            first: First step.
            last: Step after the last.
            most: Width in points.
            log: The axis is logarithmic.
        """
        self._main.setData(*_on_scale(*self.shown.peaks(first, last, most), log))
        if self._mean is not None:
            self._raw.setData(*_on_scale(*self.values.peaks(first, last, most), log))
        if self._band is not None:
            self._band.setData(*self._outline(first, last, most, log))

    def paint(self) -> None:
        """Use the present colour."""
        colour = QColor(self.colour())
        self._main.setPen(pg.mkPen(colour, width=1))
        colour.setAlpha(FAINT)
        self._raw.setPen(pg.mkPen(colour, width=1))
        if self._band is not None:
            colour.setAlpha(BAND)
            self._band.setPen(pg.mkPen(None))
            self._band.setBrush(colour)

    def remove(self) -> None:
        """Remove the curve from its plot."""
        for item in self._items():
            self._plot.removeItem(item)

    def _items(self) -> list[pg.PlotCurveItem]:
        return [item for item in (self._band, self._raw, self._main) if item is not None]

    def _outline(self, first: int, last: int, most: int, log: bool) -> tuple[Floats, Floats]:
        places, low = _on_scale(*self._low.peaks(first, last, most), log)
        _, high = _on_scale(*self._high.peaks(first, last, most), log)
        known = np.isfinite(low) & np.isfinite(high)
        # One outline for each stretch without a gap, forth along the top and back along the bottom.
        starts = np.flatnonzero(known & ~np.concatenate(([False], known[:-1])))
        ends = np.flatnonzero(known & ~np.concatenate((known[1:], [False]))) + 1
        across, up, gap = [np.empty(0)], [np.empty(0)], np.array([np.nan])
        for start, end in zip(starts, ends, strict=True):
            stretch = places[start:end]
            across += [stretch, stretch[::-1], gap]
            up += [high[start:end], low[start:end][::-1], gap]
        return np.concatenate(across), np.concatenate(up)


def series_colour(place: int) -> Colour:
    """Return the colour of one curve among several that have no colour of their own."""
    return lambda: style.theme().series[place % len(style.theme().series)]


def _on_scale(places: Floats, values: Floats, log: bool) -> tuple[Floats, Floats]:
    """Return the values on the axis; on a logarithmic one values up to zero have no place."""
    if not log:
        return places, values
    scaled = np.full(len(values), np.nan)
    np.log10(values, out=scaled, where=values > 0.0)
    return places, scaled
