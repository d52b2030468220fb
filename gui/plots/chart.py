"""A chart: curves over steps, lines to compare them with, and a scale that fits until the user zooms."""

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
"""Least and greatest number of points of a curve, which are as many as there are pixels between them."""
EMPTY_TOP = 0.15
"""Where the logarithmic axis of an empty chart ends, in decades; the name of the line at 1 has room."""
MARGIN = 0.04
"""Margin around the curves, as a fraction of the axes."""


def legend(curves: Iterable[tuple[str, str]]) -> list[str]:
    """Return names and colours as rich text: each name behind a dash of its colour."""
    return [
        f"<span style='color: {colour}'>&#x2501;&#x2501;</span> {html.escape(name)}"
        for name, colour in curves
    ]


class Chart(QObject):
    """Curves over steps 0, 1, 2 ... in one plot.

    Args:
        plot: pyqtgraph's plot.
        title: Title above the plot.
        unit: Label of the vertical axis.
        log: The axis is logarithmic, and follows the button that changes that.
        has_legend: The names of the curves stand behind the title.
        axis: Name of the horizontal axis, which charts of the same name share.

    Attributes:
        fits: Everything is in view, and stays so while the curves grow; a zoom ends that until `fit`.
        limits: Limits of the vertical axis, where they are known beforehand.
        follows_log: The axis may be made logarithmic.
        zoomed: Emitted when the user has moved the view.
    """

    zoomed = Signal()

    def __init__(
        self,
        plot: pg.PlotItem,
        title: str,
        unit: str,
        log: bool = True,
        has_legend: bool = True,
        axis: str = "step",
    ) -> None:
        super().__init__()
        self.has_legend = has_legend
        self.plot, self.title, self.unit, self.axis = plot, title, unit, axis
        self.curves: list[Curve] = []
        self.fits = True
        self.log, self.follows_log = False, log
        self.limits: tuple[float, float] | None = None
        self._width = 1
        self._levels: dict[str, tuple[float, pg.InfiniteLine]] = {}
        self._marks: list[tuple[int, pg.InfiniteLine]] = []
        self._fitting = False
        self._title_px = 0.0
        plot.setLabel("left", unit)
        plot.setLabel("bottom", axis)
        plot.hideButtons()
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.getAxis("bottom").enableAutoSIPrefix(False)
        plot.showGrid(x=False, y=True, alpha=0.15)
        # Axes of one width, so that charts one above the other keep their steps in line.
        plot.getAxis("left").setWidth(QFontMetricsF(QFont()).horizontalAdvance("0.0000 MSE"))
        # It would ask for the width of its whole text, and take it from the chart beside it.
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
        """Number of steps."""
        return max((len(curve.values) for curve in self.curves), default=0)

    def add_curve(self, name: str, colour: Colour, spread: bool = False) -> Curve:
        """Add a curve, also to the legend.

        Args:
            name: Name of the curve.
            colour: Returns its colour.
            spread: The curve has a band of one deviation about it.
        """
        curve = Curve(self.plot, name, colour, spread)
        curve.smooth(self._width)
        self.curves.append(curve)
        self._paint_title()
        return curve

    def remove_curves(self) -> None:
        """Remove all curves."""
        for curve in self.curves:
            curve.remove()
        self.curves.clear()
        self.fits = True
        self._paint_title()

    def set_level(self, name: str, value: float, dashed: bool) -> None:
        """Draw a horizontal line to compare with.

        Args:
            name: Name on the line; a line of the same name is replaced.
            value: Its value.
            dashed: The line is dashed, else dotted.
        """
        self.remove_level(name)
        options = {"position": 0.99, "movable": False, "anchors": [(1.0, 1.0), (1.0, 1.0)]}
        line = pg.InfiniteLine(angle=0, movable=False, label=name, labelOpts=options)
        line.dashes = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.DotLine
        self._levels[name] = (value, line)
        self.plot.addItem(line, ignoreBounds=True)
        self._place_levels()
        self.paint()
        self.redraw()

    def remove_level(self, name: str) -> None:
        """Remove the line of this name, if there is one."""
        if name in self._levels:
            self.plot.removeItem(self._levels.pop(name)[1])

    def mark(self, step: int, label: str) -> None:
        """Draw a vertical line where something begins, with its label."""
        options = {"position": 0.01, "movable": False, "anchors": [(0.0, 1.0), (0.0, 1.0)]}
        line = pg.InfiniteLine(step, 90, movable=False, label=label, labelOpts=options)
        line.dashes = Qt.PenStyle.SolidLine
        self._marks.append((step, line))
        self.plot.addItem(line, ignoreBounds=True)
        self.paint()

    def set_unit(self, unit: str) -> None:
        """Set the label of the vertical axis."""
        self.unit = unit
        self.plot.setLabel("left", unit)

    def clear(self) -> None:
        """Remove all values, lines and marks; the curves stay, and the scale fits again."""
        for curve in self.curves:
            curve.clear()
        self.remove_lines()
        self.fit()

    def remove_lines(self) -> None:
        """Remove the lines to compare with, and the marks."""
        for line in (*(line for _, line in self._levels.values()), *(m for _, m in self._marks)):
            self.plot.removeItem(line)
        self._levels.clear()
        self._marks.clear()

    def set_log(self, log: bool) -> None:
        """Make the vertical axis logarithmic or linear."""
        if log == self.log:
            return
        self.log = log
        self.plot.getAxis("left").setLogMode(log)
        self._place_levels()
        # A zoom belongs to the scale before; on the new one it would show something else or nothing.
        self.fit()

    def smooth(self, width: int) -> None:
        """Draw means over so many steps."""
        self._width = width
        for curve in self.curves:
            curve.smooth(width)
        self.redraw()

    def fit(self) -> None:
        """Bring everything into view, from now on."""
        self.fits = True
        self.redraw()

    def redraw(self) -> None:
        """Draw the present values of the curves."""
        self._fitting = True
        view = self.plot.getViewBox()
        if self.fits:
            view.setRange(xRange=(0, max(self.steps - 1, 1)), yRange=self._extent(), padding=MARGIN)
        self._fitting = False
        self._draw()
        self._place_marks()

    def _draw(self) -> None:
        """Draw the part in view."""
        view = self.plot.getViewBox()
        (left, right), _ = view.viewRange()
        most = min(max(int(view.width()), FEWEST), MOST)
        for curve in self.curves:
            curve.draw(math.floor(left), math.ceil(right) + 1, most, self.log)

    def read(self, step: int) -> list[str]:
        """Return the name and the value of each curve at a step, as text."""
        texts = []
        for curve in self.curves:
            shown = curve.shown.values
            if 0 <= step < len(shown) and math.isfinite(shown[step]):
                texts.append(f"{curve.name} {shown[step]:.4g}")
        return texts

    def point_at(self, step: int | None) -> None:
        """Move the cross hair; None hides it."""
        self.cross.setVisible(step is not None)
        if step is not None:
            self.cross.setValue(step)

    def paint(self) -> None:
        """Use the colours of the present theme."""
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
        """Write the title, and behind it the legend, where it covers no curve.

        Where there is no room for both the legend stands alone; the axis says what is shown.
        """
        title = [f"<b>{html.escape(self.title)}</b>"] if self.title else []
        names = legend([(c.name, c.colour()) for c in self.curves]) if self.has_legend else []
        self._set_title(title + names)
        self._title_px = self.plot.getViewBox().width()
        if title and names and self.plot.titleLabel.item.boundingRect().width() > self._title_px:
            self._set_title(names)

    def _set_title(self, parts: list[str]) -> None:
        self.plot.setTitle(
            "&nbsp;&nbsp; ".join(parts) or None, color=style.theme().text, size="9pt"
        )

    def _on_resize(self) -> None:
        if self.plot.getViewBox().width() != self._title_px:
            self._paint_title()
        self._on_range()

    def _extent(self) -> tuple[float, float]:
        """Return the range of the vertical axis, on its scale."""
        if self.limits is not None and not self.log:
            return self.limits
        found = [curve.bounds(positive=self.log) for curve in self.curves]
        ends = [value for pair in found if pair is not None for value in pair]
        ends += [value for value, _ in self._levels.values()]
        if self.log:
            ends = [math.log10(value) for value in ends if value > 0.0]
        if not any(found):
            ends += [-2.0, EMPTY_TOP] if self.log else [0.0, 1.0]
        low, high = min(ends), max(ends)
        least = 0.1 if self.log else 0.02 * abs(high) or 1.0
        slack = max(least - (high - low), 0.0) / 2
        return low - slack, high + slack

    def _place_levels(self) -> None:
        for value, line in self._levels.values():
            line.setVisible(not self.log or value > 0.0)
            if line.isVisible():
                line.setValue(math.log10(value) if self.log else value)

    def _place_marks(self) -> None:
        """Show the labels of marks that have room beside each other, from the left."""
        view = self.plot.getViewBox()
        (left, right), _ = view.viewRange()
        points_a_step = view.width() / max(right - left, 1e-9)
        free = -math.inf
        for step, line in self._marks:
            place = (step - left) * points_a_step
            line.label.setVisible(place >= free)
            if line.label.isVisible():
                free = place + line.label.boundingRect().width() + 4.0

    def _on_zoom(self) -> None:
        self.fits = False
        self.zoomed.emit()

    def _on_range(self) -> None:
        if not self._fitting:
            self._draw()
            self._place_marks()
