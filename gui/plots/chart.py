"""One plot: curves over steps, lines to compare them with, and a scale that knows who set it."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from gui import style
from gui.plots.curve import Colour, Curve

FEWEST, MOST = 64, 4000
"""Points across a curve: as many as there are pixels, within reason."""
MARGIN = 0.04


def legend(curves: Iterable[tuple[str, str]]) -> list[str]:
    """Names behind a dash of their colour, each as rich text."""
    return [
        f"<span style='color: {colour}'>&#x2501;&#x2501;</span> {html.escape(name)}"
        for name, colour in curves
    ]


class Chart(QObject):
    """Curves over steps 0, 1, 2 ... in one plot.

    fits: everything is in view, and stays so while the curves grow; a zoom by hand ends that until `fit`.
    limits: of the vertical axis, where they are known beforehand. zoomed: the user moved the view.
    follows_log: whether it may be made logarithmic.
    """

    zoomed = Signal()

    def __init__(
        self, plot: pg.PlotItem, title: str, unit: str, log: bool = True, has_legend: bool = True
    ) -> None:
        super().__init__()
        self.has_legend = has_legend
        self.plot, self.title, self.unit = plot, title, unit
        self.curves: list[Curve] = []
        self.fits = True
        self.log, self.follows_log = False, log
        self.limits: tuple[float, float] | None = None
        self._width = 1
        self._levels: dict[str, tuple[float, pg.InfiniteLine]] = {}
        self._marks: list[tuple[int, pg.InfiniteLine]] = []
        self._fitting = False
        self._room_px = 0.0
        plot.setLabel("left", unit)
        plot.setLabel("bottom", "step")
        plot.hideButtons()
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.getAxis("bottom").enableAutoSIPrefix(False)
        plot.showGrid(x=False, y=True, alpha=0.15)
        # Axes of one width, so that charts one above the other keep their steps in line.
        plot.getAxis("left").setWidth(QFontMetricsF(QFont()).horizontalAdvance("0.0000 MSE"))
        # It would ask for the width of all its words, and take it from the chart beside it.
        plot.titleLabel.updateMin = lambda: None
        view = plot.getViewBox()
        view.disableAutoRange()
        view.sigRangeChangedManually.connect(self._on_zoom)
        view.sigXRangeChanged.connect(self._on_range)
        view.sigResized.connect(self._on_resize)
        self.cross = pg.InfiniteLine(angle=90, movable=False)
        self.cross.hide()
        plot.addItem(self.cross, ignoreBounds=True)
        self.set_log(log)
        self.paint()

    @property
    def steps(self) -> int:
        """How many there are."""
        return max((len(curve.values) for curve in self.curves), default=0)

    def add_curve(self, name: str, colour: Colour, spread: bool = False) -> Curve:
        """A new one, in the legend too."""
        curve = Curve(self.plot, name, colour, spread)
        curve.smooth(self._width)
        self.curves.append(curve)
        self._paint_title()
        return curve

    def remove_curves(self) -> None:
        """All of them."""
        for curve in self.curves:
            curve.remove()
        self.curves.clear()
        self.fits = True
        self._paint_title()

    def set_level(self, name: str, value: float, dashed: bool) -> None:
        """A horizontal line to compare with, with its name on it."""
        if name in self._levels:
            self.plot.removeItem(self._levels.pop(name)[1])
        options = {"position": 0.99, "movable": False, "anchors": [(1.0, 1.0), (1.0, 1.0)]}
        line = pg.InfiniteLine(angle=0, movable=False, label=name, labelOpts=options)
        line.dashes = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.DotLine
        self._levels[name] = (value, line)
        self.plot.addItem(line, ignoreBounds=True)
        self._place_levels()
        self.paint()

    def mark(self, step: int, words: str) -> None:
        """A vertical line where something begins."""
        options = {"position": 0.01, "movable": False, "anchors": [(0.0, 1.0), (0.0, 1.0)]}
        line = pg.InfiniteLine(step, 90, movable=False, label=words, labelOpts=options)
        line.dashes = Qt.PenStyle.SolidLine
        self._marks.append((step, line))
        self.plot.addItem(line, ignoreBounds=True)
        self.paint()

    def clear(self) -> None:
        """Forget all numbers, lines and marks; the curves stay, and the scale fits again."""
        for curve in self.curves:
            curve.clear()
        self.remove_lines()
        self.fit()

    def remove_lines(self) -> None:
        """Lines to compare with, and marks."""
        for line in (*(line for _, line in self._levels.values()), *(m for _, m in self._marks)):
            self.plot.removeItem(line)
        self._levels.clear()
        self._marks.clear()

    def set_log(self, log: bool) -> None:
        """Logarithmic or linear."""
        if log == self.log:
            return
        self.log = log
        self.plot.getAxis("left").setLogMode(log)
        self._place_levels()
        # A zoom is one of the other scale; there it would show something else or nothing.
        self.fit()

    def smooth(self, width: int) -> None:
        """Means over so many steps."""
        self._width = width
        for curve in self.curves:
            curve.smooth(width)
        self.redraw()

    def fit(self) -> None:
        """All in view, from now on."""
        self.fits = True
        self.redraw()

    def redraw(self) -> None:
        """Show what the curves hold now."""
        self._fitting = True
        view = self.plot.getViewBox()
        if self.fits:
            view.setRange(xRange=(0, max(self.steps - 1, 1)), yRange=self._extent(), padding=MARGIN)
        self._fitting = False
        self._draw()

    def _draw(self) -> None:
        """The part in view."""
        view = self.plot.getViewBox()
        (left, right), _ = view.viewRange()
        most = min(max(int(view.width()), FEWEST), MOST)
        for curve in self.curves:
            curve.draw(math.floor(left), math.ceil(right) + 1, most, self.log)

    def read(self, step: int) -> list[str]:
        """What the curves say at a step, in words."""
        said = []
        for curve in self.curves:
            shown = curve.shown.values
            if 0 <= step < len(shown) and math.isfinite(shown[step]):
                said.append(f"{curve.name} {shown[step]:.4g}")
        return said

    def point_at(self, step: int | None) -> None:
        """Move the cross hair; None hides it."""
        self.cross.setVisible(step is not None)
        if step is not None:
            self.cross.setValue(step)

    def paint(self) -> None:
        """Colours as the theme has them."""
        chosen = style.theme()
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(chosen.line)
            axis.setTextPen(chosen.quiet)
        self._paint_title()
        for curve in self.curves:
            curve.paint()
        for _, line in self._levels.values():
            line.setPen(pg.mkPen(chosen.baseline, width=1, style=line.dashes))
        for _, line in self._marks:
            line.setPen(pg.mkPen(chosen.line, width=1))
        ground = QColor(chosen.panel)
        ground.setAlphaF(0.7)
        for _, line in (*self._levels.values(), *self._marks):
            line.label.setColor(chosen.quiet)
            line.label.fill = pg.mkBrush(ground)
        self.cross.setPen(pg.mkPen(chosen.quiet, width=1, style=Qt.PenStyle.DotLine))

    def _paint_title(self) -> None:
        """The title, and behind it the legend: there it covers no curve. Where there is no room for both
        the legend stands alone; the axis says what is shown.
        """
        title = [f"<b>{html.escape(self.title)}</b>"] if self.title else []
        names = legend([(c.name, c.colour()) for c in self.curves]) if self.has_legend else []
        self._set_title(title + names)
        self._room_px = self.plot.getViewBox().width()
        if title and names and self.plot.titleLabel.item.boundingRect().width() > self._room_px:
            self._set_title(names)

    def _set_title(self, words: list[str]) -> None:
        self.plot.setTitle(
            "&nbsp;&nbsp; ".join(words) or None, color=style.theme().text, size="9pt"
        )

    def _on_resize(self) -> None:
        if self.plot.getViewBox().width() != self._room_px:
            self._paint_title()
        self._on_range()

    def _extent(self) -> tuple[float, float]:
        """Of the vertical axis, on its scale."""
        if self.limits is not None and not self.log:
            return self.limits
        found = [curve.bounds(positive=self.log) for curve in self.curves]
        ends = [value for pair in found if pair is not None for value in pair]
        ends += [value for value, _ in self._levels.values()]
        if self.log:
            ends = [math.log10(value) for value in ends if value > 0.0]
        if not ends:
            return (-2.0, 0.0) if self.log else (0.0, 1.0)
        low, high = min(ends), max(ends)
        least = 0.1 if self.log else 0.02 * abs(high) or 1.0
        slack = max(least - (high - low), 0.0) / 2
        return low - slack, high + slack

    def _place_levels(self) -> None:
        for value, line in self._levels.values():
            line.setVisible(not self.log or value > 0.0)
            if line.isVisible():
                line.setValue(math.log10(value) if self.log else value)

    def _on_zoom(self) -> None:
        self.fits = False
        self.zoomed.emit()

    def _on_range(self) -> None:
        if not self._fitting:
            self._draw()
