"""The desk of a power meter: its reading, and how the reading changes in time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui.style import style, theme
from gui.widgets.page import button, value_label
from gui.widgets.plain_label import PlainLabel
from labdiff.engine.status import DeviceState

MOST_POINTS = 3600
"""Length of the trace: an hour at one reading a second."""
UNITS = ((1e3, "W", 1e-3), (1.0, "mW", 1.0), (1e-3, "µW", 1e3), (0.0, "nW", 1e6))
"""From which power in mW on it is written in which unit, and the unit's factor."""
FIGURES = ("mean", "std", "min", "max")


class MeterDesk(QWidget):
    """Shows a power meter's reading in its unit, with the trace of the last hour and its figures.

    Args:
        clock: Returns the time, s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setObjectName("meter_desk")
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST_POINTS)
        self._powers_mw: deque[float] = deque(maxlen=MOST_POINTS)
        self._begun_s = 0.0
        self.reading = value_label("meter_reading", "0000.00 mW")
        font = self.reading.font()
        font.setPointSizeF(1.6 * font.pointSizeF())
        self.reading.setFont(font)
        self.clear = button("meter_clear", "Clear", "Begin the trace anew", self.reset)
        top = QHBoxLayout()
        top.addWidget(self.reading, 1)
        top.addWidget(self.clear)
        self.figures = {name: value_label(f"meter_{name}", "0000.00 mW") for name in FIGURES}
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        grid.setHorizontalSpacing(2 * self.fontMetrics().averageCharWidth())
        for place, (name, label) in enumerate(self.figures.items()):
            row, column = divmod(place, 2)
            grid.addWidget(PlainLabel(name.capitalize()), row, 2 * column)
            grid.addWidget(label, row, 2 * column + 1)
        self.plot = pg.PlotWidget(enableMenu=False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setLabel("bottom", "s")
        self.plot.setLabel("left", "mW")
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self.plot.getAxis("left").setWidth(self.fontMetrics().horizontalAdvance("0.0000 00"))
        self.plot.setMinimumWidth(100)
        self.plot.setFixedHeight(8 * self.fontMetrics().height())
        self.curve = self.plot.plot()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addLayout(grid)
        layout.addWidget(self.plot)
        style.changed.connect(self._colour)
        self._colour()
        self.reset()

    def show_device(self, device: DeviceState) -> None:
        """Show what the meter has just read; while it does not answer there is no reading."""
        power = next((s.actual for s in device.settings if s.name == "power"), None)
        if power is None:
            self.reading.setText("no reading")
            return
        if not self._times:
            self._begun_s = self._clock()
        self._times.append(self._clock() - self._begun_s)
        self._powers_mw.append(power)
        self.reading.setText(written(power))
        self._draw()

    def reset(self) -> None:
        """Forget all readings."""
        self._times.clear()
        self._powers_mw.clear()
        self.reading.setText("no reading")
        self._draw()

    def _draw(self) -> None:
        powers = np.array(self._powers_mw)
        self.curve.setData(np.array(self._times), powers)
        found: tuple[float, ...] = ()
        if powers.size:
            found = (powers.mean(), powers.std(), powers.min(), powers.max())
        for place, label in enumerate(self.figures.values()):
            label.setText(written(float(found[place])) if found else "")

    def _colour(self) -> None:
        colours = theme()
        self.plot.setBackground(colours.panel)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).setPen(colours.line)
            self.plot.getAxis(side).setTextPen(colours.quiet)
        self.curve.setPen(pg.mkPen(colours.accent, width=1))


def written(power_mw: float) -> str:
    """Return a power in the unit in which it has few digits before the point."""
    size = abs(power_mw)
    unit, factor = next((unit, factor) for least, unit, factor in UNITS if size >= least)
    if size == 0.0:
        unit, factor = "mW", 1.0
    return f"{power_mw * factor:.2f} {unit}"
