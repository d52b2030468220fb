"""The profiles: counts along the row and the column of the crosshair."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gui.style import style, theme


class Profile(QWidget):
    """One profile, beside the picture and on its scale.

    Args:
        vertical: Counts to the right, sensor rows downwards; else counts upwards, columns to the right.
    """

    def __init__(self, vertical: bool) -> None:
        super().__init__()
        self._vertical = vertical
        self.setObjectName("live_column_profile" if vertical else "live_row_profile")
        self._plot = pg.PlotWidget(enableMenu=False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideAxis("left")
        self._plot.getPlotItem().setContentsMargins(0, 0, 0, 0)
        self._plot.showAxis("right")
        self._place_axis = "right" if vertical else "bottom"
        if vertical:
            self._plot.hideAxis("bottom")
            self._plot.invertY(True)
            self._plot.setLabel("right", "row (px)")
        else:
            self._plot.setLabel("right", "counts")
            self._plot.setLabel("bottom", "column (px)")
        for name in ("right", "bottom"):
            self._plot.getAxis(name).enableAutoSIPrefix(False)
            self._plot.getAxis(name).setStyle(hideOverlappingLabels=True)
        self._curve = self._plot.plot()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        wide = QSizePolicy.Policy.Expanding
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(*((fixed, wide) if vertical else (wide, fixed)))
        style.changed.connect(self._colour)
        self._colour()

    def sizeHint(self) -> QSize:
        """Return a thickness of nine lines of text."""
        thick = 9 * self.fontMetrics().height()
        return QSize(thick, 100) if self._vertical else QSize(100, thick)

    def set_margin(self, points: int) -> None:
        """Set the width of the axis at the right, so that the plot ends where the picture ends."""
        self._plot.getAxis("right").setWidth(points)

    def set_range(self, first: float, last: float) -> None:
        """Show the sensor's rows or columns from first to last, as the picture does."""
        if self._vertical:
            self._plot.setYRange(first, last, padding=0.0)
        else:
            self._plot.setXRange(first, last, padding=0.0)

    def show_counts(self, first: int, counts: npt.NDArray[Any], most: int | None) -> None:
        """Show the counts of a row or a column.

        Args:
            first: Sensor column or row of the first pixel.
            counts: Counts of the pixels.
            most: Counts to which the axis extends, from 0; None: from the least to the greatest of these.
        """
        low, high = (0.0, float(most)) if most is not None else _range_of(counts)
        edges = np.arange(first, first + len(counts) + 1.0)
        # The steps are made here: pyqtgraph's own cannot be vertical.
        places = np.repeat(edges, 2)[1:-1]
        heights = np.repeat(counts.astype(float), 2)
        if self._vertical:
            self._curve.setData(heights, places)
            self._plot.setXRange(low, high, padding=0.02)
        else:
            self._curve.setData(places, heights)
            self._plot.setYRange(low, high, padding=0.02)

    def clear(self) -> None:
        """Show no counts any more."""
        self._curve.setData([], [])

    def _colour(self) -> None:
        colours = theme()
        self._plot.setBackground(colours.panel)
        for name in ("right", "bottom"):
            self._plot.getAxis(name).setPen(colours.line)
            self._plot.getAxis(name).setTextPen(colours.quiet)
        self._curve.setPen(pg.mkPen(colours.accent, width=1))


def _range_of(counts: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the least and the greatest of counts; at least a count apart, so that noise is no mountain."""
    low = float(counts.min())
    return low, max(float(counts.max()), low + 1.0)
