"""The histogram of the frame's counts, with the levels to drag."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.live.levels import Levels
from gui.live.statistics import SAMPLE_PIXELS, Statistics
from gui.style import style, theme

BINS = 256
_NONE = 0.5
"""Value for no pixel on the logarithmic axis."""


class Histogram(QWidget):
    """Shows pixels against counts, logarithmic; a red line is at the camera's largest count.

    Attributes:
        levels_dragged: Emitted with the levels that the user has dragged.
    """

    levels_dragged = Signal(Levels)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("live_histogram")
        self.setToolTip(
            "Pixels of an even sample of the frame. Drag the two lines to fix the levels."
        )
        self._maximum = 255
        self._plot = pg.PlotWidget(enableMenu=False)
        self._plot.setLabel("bottom", "counts")
        self._plot.setLabel("left", "pixels")
        self._plot.getAxis("left").enableAutoSIPrefix(False)
        self._plot.getAxis("bottom").enableAutoSIPrefix(False)
        self._plot.setLogMode(y=True)
        self._plot.setMouseEnabled(x=True, y=False)
        self._plot.hideButtons()
        # Fixed: an axis whose range moves is drawn anew with every frame, which costs more than all else.
        self._plot.setYRange(np.log10(_NONE), np.log10(2.0 * SAMPLE_PIXELS), padding=0.0)
        self._curve = self._plot.plot(stepMode="center", fillLevel=np.log10(_NONE))
        self._lines = [pg.InfiniteLine(0, 90, movable=True) for _ in range(2)]
        self._saturation = pg.InfiniteLine(self._maximum, 90)
        for item in (self._saturation, *self._lines):
            self._plot.addItem(item)
        for line in self._lines:
            line.sigDragged.connect(self._drag)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        style.changed.connect(self._colour)
        self._colour()

    def sizeHint(self) -> QSize:
        """Return a height of nine lines of text."""
        return QSize(100, 9 * self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return a height that has room for the axes."""
        return QSize(100, 7 * self.fontMetrics().height())

    def set_maximum(self, maximum_counts: int) -> None:
        """Set the camera's largest count, to which the axis extends."""
        self._maximum = maximum_counts
        self._saturation.setValue(maximum_counts)
        self._plot.setXRange(0.0, maximum_counts, padding=0.02)

    def set_levels(self, levels: Levels) -> None:
        """Move the lines, unless the user drags one."""
        if not any(line.moving for line in self._lines):
            for line, value in zip(self._lines, (levels.low, levels.high), strict=True):
                line.setValue(value)

    def show_statistics(self, statistics: Statistics) -> None:
        """Draw the histogram of a frame."""
        edges, pixels = statistics.binned(BINS, self._maximum)
        self._curve.setData(edges, np.maximum(pixels, _NONE))

    def clear(self) -> None:
        """Show no pixels any more."""
        self._curve.setData([0.0, 1.0], [_NONE])

    def _drag(self) -> None:
        low, high = sorted(max(0, round(line.value())) for line in self._lines)
        self.levels_dragged.emit(Levels(low, max(high, low + 1)))

    def _colour(self) -> None:
        colours = theme()
        self._plot.setBackground(colours.panel)
        for name in ("left", "bottom"):
            self._plot.getAxis(name).setPen(colours.line)
            self._plot.getAxis(name).setTextPen(colours.quiet)
        self._curve.setPen(pg.mkPen(colours.quiet, width=1))
        self._curve.setBrush(pg.mkBrush(colours.raised))
        self._saturation.setPen(pg.mkPen(colours.saturated, width=1))
        for line in self._lines:
            line.setPen(pg.mkPen(colours.accent, width=2))
            line.setHoverPen(pg.mkPen(colours.warn, width=2))
