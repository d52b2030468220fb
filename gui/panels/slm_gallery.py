"""All layers of an optical denoising unit: one row for each layer set, one column for each layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QPushButton, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from drivers.phase_quantiser import PhaseQuantiser
from gui.colour_maps import LEVELS, phase_map

TILE_LINES = 6
"""Height of a tile in lines of text."""


class Gallery(QWidget):
    """Shows layers as tiles.

    Attributes:
        chosen: Emitted with the layer set and the layer of a tile, from 0.
        set_chosen: Emitted with the layer set, from 0, that is to be shown as a whole.
    """

    chosen = Signal(int, int)
    set_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._levels = PhaseQuantiser(8)
        self._colours: list[int] = [
            0xFF000000 | int(red) << 16 | int(green) << 8 | int(blue)
            for red, green, blue, *_ in phase_map().getLookupTable(nPts=LEVELS)
        ]
        self.table = QTableWidget()
        self.table.setObjectName("slm_gallery")
        self.table.setToolTip("Layers: a row a layer set (timestep range), a column a layer.")
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.currentCellChanged.connect(self._choose)
        self.whole = QPushButton("Preview whole set")
        self.whole.setObjectName("slm_whole_set")
        self.whole.setToolTip("All layers of the selected row, each in its patch; the rest is flat")
        self.whole.setEnabled(False)
        self.whole.clicked.connect(self._choose_set)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(self.whole)

    def set_layer_sets(self, phases_rad: npt.NDArray[np.floating]) -> None:
        """Show (M, N, h, w) radians: M layer sets of N layers."""
        sets, layers, height, width = phases_rad.shape
        line = self.fontMetrics().height()
        tile = QSize(max(1, TILE_LINES * line * width // height), TILE_LINES * line)
        self.table.blockSignals(True)
        self.table.clear()
        self.table.setRowCount(sets)
        self.table.setColumnCount(layers)
        self.table.setIconSize(tile)
        self.table.setHorizontalHeaderLabels([f"layer {n + 1}" for n in range(layers)])
        self.table.setVerticalHeaderLabels([f"set {m + 1}" for m in range(sets)])
        for m in range(sets):
            self.table.setRowHeight(m, tile.height() + line // 2)
            for n in range(layers):
                item = QTableWidgetItem(self._icon(phases_rad[m, n]), "")
                item.setToolTip(f"Layer set {m + 1}, layer {n + 1}: {height} x {width} pixels")
                self.table.setItem(m, n, item)
        for n in range(layers):
            self.table.setColumnWidth(n, tile.width() + line // 2)
        self.table.blockSignals(False)
        self.whole.setEnabled(sets > 0)

    def clear(self) -> None:
        """Show no layers any more."""
        self.table.blockSignals(True)
        self.table.clear()
        self.table.setRowCount(0)
        self.table.setColumnCount(0)
        self.table.blockSignals(False)
        self.whole.setEnabled(False)

    def _icon(self, phase_rad: npt.NDArray[np.floating]) -> QIcon:
        levels = np.ascontiguousarray(self._levels(phase_rad))
        height, width = levels.shape
        image = QImage(levels.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(self._colours)
        smaller = image.convertToFormat(QImage.Format.Format_RGB32)
        pixmap = QPixmap.fromImage(smaller).scaled(
            self.table.iconSize(),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.FastTransformation,
        )
        icon = QIcon()
        # Selected tiles look alike: a tint would change the phase that one reads.
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(pixmap, mode)
        return icon

    def _choose_set(self) -> None:
        self.set_chosen.emit(max(self.table.currentRow(), 0))

    def _choose(self, row: int, column: int) -> None:
        if row >= 0 and column >= 0:
            self.chosen.emit(row, column)
