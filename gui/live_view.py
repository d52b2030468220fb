"""The latest frame: colour map, levels, saturation, and the value under the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QCheckBox, QComboBox, QGroupBox, QHBoxLayout, QLabel, QVBoxLayout

from gui.ring import Picture


class LiveView(QGroupBox):
    """One picture, (height, width), in the unit that `show_frame` is told."""

    def __init__(self) -> None:
        super().__init__("Live frame")
        self._frame: Picture | None = None
        self._unit = ""
        self.plot = pg.PlotWidget()
        self.plot.setAspectLocked(True)
        self.plot.invertY(True)
        self.plot.setLabel("bottom", "column (px)")
        self.plot.setLabel("left", "row (px)")
        self.image = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.image)
        self.bar = pg.ColorBarItem(values=(0, 1), width=12, interactive=True)
        self.bar.setImageItem(self.image, insert_in=self.plot.getPlotItem())
        self.maps = QComboBox()
        self.maps.addItems(["inferno", "viridis", "CET-L1"])
        self.maps.currentTextChanged.connect(self._recolour)
        self.auto = QCheckBox("auto levels")
        self.auto.setChecked(True)
        self.what = QLabel("no frame yet")
        self.saturation = QLabel("")
        self.readout = QLabel("")
        top, low = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.what, 1)
        top.addWidget(self.auto)
        top.addWidget(self.maps)
        low.addWidget(self.saturation, 1)
        low.addWidget(self.readout)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addLayout(low)
        self.plot.scene().sigMouseMoved.connect(self._point)
        self._recolour("inferno")

    def show_frame(
        self, frame: Picture, what: str, unit: str, full_scale: float | None = None
    ) -> None:
        """Show a frame; full_scale in the same unit, None where saturation cannot be told."""
        if not np.isfinite(frame).any():
            self.saturation.setText("the frame holds no number")
            return
        self._frame, self._unit = frame, unit
        self.what.setText(f"{what} ({unit})")
        self.image.setImage(frame, autoLevels=False)
        if self.auto.isChecked():
            low, high = float(np.nanmin(frame)), float(np.nanpercentile(frame, 99.8))
            self.bar.setLevels((low, max(high, low + 1e-6)))
        if full_scale is None:
            self.saturation.setText(f"peak {np.nanmax(frame):.3g} ({unit})")
        else:
            percent = 100.0 * float(np.mean(frame >= full_scale))
            note = f"{percent:.2f} % saturated" if percent else "no pixel saturated"
            self.saturation.setText(note)

    def _recolour(self, name: str) -> None:
        self.bar.setColorMap(pg.colormap.get(name))

    def _point(self, place: Any) -> None:
        if self._frame is None:
            return
        at = self.plot.getPlotItem().vb.mapSceneToView(place)
        row, column = int(np.floor(at.y())), int(np.floor(at.x()))
        height, width = self._frame.shape
        if 0 <= row < height and 0 <= column < width:
            value = self._frame[row, column]
            self.readout.setText(f"row {row}, column {column}: {value:.3g} ({self._unit})")
        else:
            self.readout.setText("")
