"""Figures of the frame, of a box or of a line, and how they change in time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from drivers.types import Frame, Roi
from gui.live.canvas import Canvas, Drawing
from gui.live.regions import LineMark, Region, RegionFigures, counts_along, figures_of
from gui.style import style, theme
from gui.widgets.choice import Choice
from gui.widgets.page import button, value_label
from gui.widgets.plain_label import PlainLabel

WHOLE, BOX, LINE = "whole frame", "box", "line"
ALONG = "counts along the line"
MOST_POINTS = 3000
"""Length of a trace: ten minutes at five points a second."""
ROWS = ("mean", "std", "max", "min", "sum", "centroid row", "centroid column", "pixels")
TRACES = ("mean", "max", "std", "sum", "centroid row", "centroid column")
UNITS = {"centroid row": "px", "centroid column": "px"}


class FiguresPage(QWidget):
    """Shows figures of a region that the user draws on the picture.

    Args:
        canvas: The picture.
        clock: Returns the time, s.
    """

    def __init__(self, canvas: Canvas, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._canvas, self._clock = canvas, clock
        self._frame: Frame | None = None
        self._begun_s = 0.0
        self._times: deque[float] = deque(maxlen=MOST_POINTS)
        self._traces = {name: deque[float](maxlen=MOST_POINTS) for name in TRACES}
        self.region = Choice("desk_region", "Of which part of the frame the figures are")
        self.region.addItems([WHOLE, BOX, LINE])
        self.draw = QPushButton("Draw")
        self.draw.setObjectName("desk_draw")
        self.draw.setToolTip("Drag the box or the line on the picture; Esc leaves it")
        self.draw.setCheckable(True)
        self.place = PlainLabel()
        self.place.setObjectName("desk_region_place")
        top = QHBoxLayout()
        top.addWidget(self.region, 1)
        top.addWidget(self.draw)
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        self.values: dict[str, QLabel] = {}
        for place, name in enumerate(ROWS):
            label = value_label(f"desk_{name.replace(' ', '_')}", "00000000.0 px")
            self.values[name] = label
            grid.addWidget(PlainLabel(name.capitalize()), place, 0)
            grid.addWidget(label, place, 1)
        grid.setColumnStretch(1, 1)
        self.values["centroid row"].setToolTip(
            "Of what lies above the least count; subtract a background where it is not even"
        )
        self.trace = Choice("desk_trace", "What the curve below shows")
        self.trace.addItems([*TRACES, ALONG])
        self.clear = button("desk_trace_clear", "Clear", "Begin the traces anew", self._clear)
        below = QHBoxLayout()
        below.addWidget(self.trace, 1)
        below.addWidget(self.clear)
        self.plot = pg.PlotWidget(enableMenu=False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self.plot.getAxis("left").setWidth(self.fontMetrics().horizontalAdvance("0000.0 00"))
        self.plot.setMinimumSize(100, 8 * self.fontMetrics().height())
        self.curve = self.plot.plot()
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.place)
        layout.addLayout(grid)
        layout.addLayout(below)
        layout.addWidget(self.plot, 1)
        self.region.currentTextChanged.connect(self._choose)
        self.draw.toggled.connect(self._toggle_drawing)
        self.trace.currentTextChanged.connect(self._draw)
        canvas.marked.connect(self._on_marked)
        canvas.drawing_left.connect(lambda: self.draw.setChecked(False))
        style.changed.connect(self._colour)
        self._colour()
        self._choose()

    def show_frame(self, frame: Frame) -> None:
        """Show the figures of a frame, and add them to the traces."""
        self._frame = frame
        found = self._show_figures()
        if found is not None:
            if not self._times:
                self._begun_s = self._clock()
            self._times.append(self._clock() - self._begun_s)
            for name, trace in self._traces.items():
                trace.append(_value(found, name))
        self._draw()

    def reset(self) -> None:
        """Forget the frames and the region."""
        self._frame = None
        self.draw.setChecked(False)
        self.region.setCurrentText(WHOLE)
        self._canvas.mark = None
        self._clear()
        self._show_figures()

    def _choose(self) -> None:
        """Use the region of the chosen kind; one that is not there yet is to be drawn."""
        kind, mark = self.region.currentText(), self._canvas.mark
        fits = {BOX: isinstance(mark, Roi), LINE: isinstance(mark, LineMark)}.get(kind, False)
        if not fits:
            self._canvas.mark = None
        self.draw.setEnabled(kind != WHOLE)
        self.draw.setChecked(kind != WHOLE and not fits)
        if self.draw.isChecked():
            self._toggle_drawing(True)  # of the other kind than before
        if kind == LINE:
            self.trace.setCurrentText(ALONG)
        elif self.trace.currentText() == ALONG:
            self.trace.setCurrentText(TRACES[0])
        self._clear()
        self._show_figures()

    def _toggle_drawing(self, on: bool) -> None:
        kind = {BOX: Drawing.BOX, LINE: Drawing.LINE}.get(self.region.currentText())
        if on and kind is not None:
            self._canvas.drawing = kind
        elif not on and self._canvas.drawing in (Drawing.BOX, Drawing.LINE):
            self._canvas.drawing = Drawing.NOTHING

    def _on_marked(self, region: Region) -> None:
        self._clear()
        self._show_figures()

    def _show_figures(self) -> RegionFigures | None:
        mark, kind = self._canvas.mark, self.region.currentText()
        self.place.setText(_place(mark) if mark is not None or kind == WHOLE else "not drawn yet")
        found = None
        if self._frame is not None and (mark is not None or kind == WHOLE):
            found = figures_of(self._frame, mark)
        for name, label in self.values.items():
            label.setText("" if found is None else _written(found, name))
        return found

    def _clear(self) -> None:
        self._times.clear()
        for trace in self._traces.values():
            trace.clear()
        self._draw()

    def _draw(self) -> None:
        chosen, mark = self.trace.currentText(), self._canvas.mark
        if chosen == ALONG:
            self.plot.setLabel("bottom", "px from the line's start")
            self.plot.setLabel("left", "counts")
            if isinstance(mark, LineMark) and self._frame is not None:
                counts = counts_along(self._frame, mark)
                self.curve.setData(np.arange(len(counts)), counts)
            else:
                self.curve.setData([], [])
            return
        self.plot.setLabel("bottom", "s")
        self.plot.setLabel("left", UNITS.get(chosen, "counts"))
        self.curve.setData(np.array(self._times), np.array(self._traces[chosen]))

    def _colour(self) -> None:
        colours = theme()
        self.plot.setBackground(colours.panel)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).setPen(colours.line)
            self.plot.getAxis(side).setTextPen(colours.quiet)
        self.curve.setPen(pg.mkPen(colours.accent, width=1))
        self.place.setStyleSheet(f"color: {colours.quiet}")


def _value(found: RegionFigures, name: str) -> float:
    """Return a figure by its name; nan for the centroid of even counts."""
    row, column = found.centroid or (float("nan"), float("nan"))
    return {
        "mean": found.mean,
        "std": found.std,
        "max": found.most,
        "min": found.least,
        "sum": found.total,
        "centroid row": row,
        "centroid column": column,
        "pixels": float(found.pixels),
    }[name]


def _written(found: RegionFigures, name: str) -> str:
    value = _value(found, name)
    if not np.isfinite(value):
        return "even counts"
    if name in ("max", "min", "pixels", "sum"):
        return f"{value:.0f}"
    unit = UNITS.get(name, "")
    return f"{value:.2f} {unit}".rstrip()


def _place(mark: Region) -> str:
    match mark:
        case Roi(top=top, left=left, height=height, width=width):
            return f"{width} x {height} px at row {top}, column {left}"
        case LineMark(start=start, end=end):
            return f"from {start[0]}, {start[1]} to {end[0]}, {end[1]} (row, column)"
        case _:
            return "counts of all pixels"
