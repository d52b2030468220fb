"""A phase pattern in cyclic colours, with the value under the pointer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGraphicsRectItem, QSizePolicy, QVBoxLayout, QWidget

from drivers.phase_quantiser import PhaseQuantiser
from drivers.types import Roi
from gui.colour_maps import LEVELS, phase_map
from gui.style import style, theme
from gui.widgets.plain_label import PlainLabel


class PhaseView(QWidget):
    """Shows (height, width) radians modulo 2 pi; zoomed with the wheel, moved by dragging."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._phase: npt.NDArray[np.floating] | None = None
        self._outlines: list[tuple[QGraphicsRectItem, pg.TextItem]] = []
        self._outlined: tuple[int, int] | None = None
        self._levels = PhaseQuantiser(8)
        self._graphics = pg.GraphicsLayoutWidget()
        self._plot = self._graphics.addPlot(enableMenu=False)
        for side in ("left", "bottom"):
            self._plot.hideAxis(side)
        self._plot.hideButtons()
        self._plot.setAspectLocked(True)
        self._plot.invertY(True)
        self._item = pg.ImageItem(axisOrder="row-major")
        self._plot.addItem(self._item)
        colours = phase_map()
        self._item.setColorMap(colours)
        self._bar = pg.ColorBarItem(
            values=(0, LEVELS), colorMap=colours, width=12, interactive=False
        )
        self._bar.setImageItem(self._item, insert_in=self._plot)
        axis = self._bar.axis
        axis.setTicks([[(0, "0"), (LEVELS / 2, "π"), (LEVELS, "2π rad")]])
        axis.setWidth(QFontMetrics(self.font()).horizontalAdvance("2π rad  "))
        self.read_out = PlainLabel()
        self.read_out.setObjectName(f"{name}_read_out")
        self.read_out.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.read_out.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._graphics, 1)
        layout.addWidget(self.read_out)
        self._plot.scene().sigMouseMoved.connect(self._point)
        self._plot.vb.sigTransformChanged.connect(self._show_outlines)
        style.changed.connect(self._colour)
        self._colour()

    @property
    def phase_rad(self) -> npt.NDArray[np.floating] | None:
        """The phase shown; None if there is none."""
        return self._phase

    def show_phase(self, phase_rad: npt.NDArray[np.floating] | None) -> None:
        """Show a phase, an array that nobody writes to any more; None to show nothing."""
        before = None if self._phase is None else self._phase.shape
        self._phase = phase_rad
        self.read_out.clear()
        if phase_rad is None:
            self._item.clear()
            self._show_outlines()
            return
        self._item.setImage(self._levels(phase_rad), autoLevels=False, levels=(0, LEVELS))
        self._show_outlines()
        if phase_rad.shape != before:
            self.fit()

    def set_outlines(
        self, patches: Sequence[Roi], names: Sequence[str], shape: tuple[int, int] | None
    ) -> None:
        """Draw the outlines of patches on patterns of one shape, with their names.

        Args:
            patches: Where they lie, in pixels of the panel.
            names: What they are called.
            shape: (height, width) of the panel; on other patterns, such as a single layer, there are none.
        """
        for rect, label in self._outlines:
            self._plot.removeItem(rect)
            self._plot.removeItem(label)
        self._outlines, self._outlined = [], shape
        for patch, name in zip(patches, names, strict=True):
            rect = QGraphicsRectItem(patch.left, patch.top, patch.width, patch.height)
            label = pg.TextItem(name, anchor=(0.0, 1.0))
            label.setPos(patch.left, patch.top)
            for item in (rect, label):
                self._plot.addItem(item, ignoreBounds=True)
            self._outlines.append((rect, label))
        self._show_outlines()
        self._colour()

    def _show_outlines(self) -> None:
        shown = self._phase is not None and self._phase.shape == self._outlined
        pixel = self._plot.vb.viewPixelSize()[0]
        for rect, label in self._outlines:
            rect.setVisible(shown)
            # One that is longer than its patch would lie on the next.
            label.setVisible(shown and label.boundingRect().width() * pixel <= rect.rect().width())

    def fit(self) -> None:
        """Show the whole pattern."""
        self._plot.autoRange(padding=0.0)

    def _point(self, position: QPointF) -> None:
        place = self._plot.vb.mapSceneToView(position)
        row, column = int(np.floor(place.y())), int(np.floor(place.x()))
        if self._phase is None:
            return
        height, width = self._phase.shape
        if not (0 <= row < height and 0 <= column < width):
            self.read_out.clear()
            return
        value = float(self._phase[row, column])
        self.read_out.setText(f"row {row}, column {column}: {value:.3f} rad")

    def _colour(self) -> None:
        self._graphics.setBackground(theme().panel)
        axis = self._bar.axis
        axis.setPen(theme().line)
        axis.setTextPen(theme().quiet)
        for rect, label in self._outlines:
            # A colour that is none of the phases'.
            rect.setPen(pg.mkPen(theme().good, width=2))
            label.setColor(theme().text)
            label.fill = pg.mkBrush(theme().panel)
            label.update()
