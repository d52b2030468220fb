"""A view of one picture with its title, colour bar and pixel read-out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import style
from gui.colour_maps import ColourMap

Picture: TypeAlias = npt.NDArray[np.float32]
CAMERA_UNIT = "rel. units"
BAR_PX = 10
"""Width of the colours of the bar beside a picture."""
BAR_BESIDE_PX, BAR_BELOW_PX = 60, 44
"""Room that the bar takes with its numbers, beside a picture and below one."""
CAMERA_HINT = "Intensity at the output plane; 1 is the mean with flat layers"


class ImageView(QWidget):
    """Shows (height, width) pictures; levels from the picture, or symmetric about zero.

    Args:
        title: Name of the picture.
        unit: Unit of a pixel's value, shown beside it.
        colours: Its colour map.
        symmetric: Levels are symmetric about zero.
        bar_below: The colour bar lies below the picture in place of beside it.
    """

    def __init__(
        self,
        title: str,
        unit: str,
        colours: ColourMap,
        symmetric: bool = False,
        bar_below: bool = False,
    ) -> None:
        super().__init__()
        self._bar_below = bar_below
        self._title, self._unit, self._symmetric = title, unit, symmetric
        self._colours = colours
        self._named = self._heading = self._heads = f"{title}, {unit}" if unit else title
        self._picture: npt.NDArray[np.float32] = np.zeros((1, 1), np.float32)
        self._graphics = pg.GraphicsLayoutWidget()
        self._plot = self._graphics.addPlot(enableMenu=False)
        self._plot.hideAxis("left")
        self._plot.hideAxis("bottom")
        # It would ask for the width of its whole text.
        self._plot.titleLabel.updateMin = lambda: None
        self._graphics.ci.setContentsMargins(0, 0, 0, 0)
        self._plot.layout.setContentsMargins(0, 0, 0, 0)
        self._plot.vb.setDefaultPadding(0.0)
        self._heading_px = self.fontMetrics().height() + 6
        self._plot.setAspectLocked(True)
        self._plot.invertY(True)
        self._item = pg.ImageItem(self._picture)
        self._plot.addItem(self._item)
        self._bar = pg.ColorBarItem(
            values=(0.0, 1.0),
            colorMap=colours(),
            width=BAR_PX,
            interactive=False,
            orientation="horizontal" if bar_below else "vertical",
        )
        self._bar.setImageItem(self._item, insert_in=self._plot)
        for part in (self._item, self._bar):
            part.hide()  # until there is something to show
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._graphics)
        self._plot.scene().sigMouseMoved.connect(self._read_out)
        style.style.changed.connect(self._paint)
        self._paint()

    def size_with(self, picture_px: int) -> QSize:
        """Return the size in which a square picture has this side, with its heading and colour bar."""
        wide_px = 0 if self._bar_below else BAR_BESIDE_PX
        high_px = self._heading_px + (BAR_BELOW_PX if self._bar_below else 0)
        return QSize(picture_px + wide_px, picture_px + high_px)

    def set_unit(self, unit: str) -> None:
        """Set the unit of a pixel's value."""
        if unit != self._unit:
            self._unit = unit
            self._named = self._heading = f"{self._title}, {unit}" if unit else self._title
            self._head(self._named)

    def show_picture(
        self,
        picture: npt.NDArray[np.float32],
        limit: float | None = None,
        levels: tuple[float, float] | None = None,
    ) -> None:
        """Show a picture.

        Not-a-number is shown as the least value; if there is nothing else, the title says so.

        Args:
            picture: (height, width); a copy that nobody else writes to.
            limit: Largest magnitude of the levels of a symmetric view, to share them with another.
            levels: Levels of any other view, to share them with other steps.
        """
        finite = picture[np.isfinite(picture)]
        heading = self._named if finite.size else f"{self._title}: no numbers (NaN)"
        if heading != self._heading:
            self._heading = heading
            self._head(heading)
        self._picture = np.nan_to_num(picture, nan=float(finite.min()) if finite.size else 0.0)
        low = float(self._picture.min())
        high = float(self._picture.max())
        if self._symmetric:
            high = max(abs(low), abs(high)) if limit is None else limit
            low = -high
        elif levels is not None:
            low, high = levels
        if high <= low:
            high = low + 1.0
        if not self._item.isVisible():
            self._item.show()
            self._bar.show()
        self._item.setImage(self._picture, autoLevels=False)
        self._bar.setLevels((low, high))

    def clear(self) -> None:
        """Show no picture any more."""
        self._picture = np.zeros((1, 1), np.float32)
        self._item.hide()
        self._bar.hide()
        self._heading = self._named
        self._head(self._named)

    def _read_out(self, position: QPointF) -> None:
        place = self._plot.vb.mapSceneToView(position)
        row, column = int(np.floor(place.y())), int(np.floor(place.x()))
        height, width = self._picture.shape
        text = self._heading
        if self._item.isVisible() and 0 <= row < height and 0 <= column < width:
            text = f"{self._title}  [{row}, {column}] {self._picture[row, column]:.3g} {self._unit}"
        self._head(text)

    def _head(self, message: str) -> None:
        self._heads = message
        self._plot.setTitle(message, color=style.theme().quiet, size="9pt")
        self._plot.titleLabel.setMaximumHeight(self._heading_px)  # pyqtgraph's own is higher
        self._plot.layout.setRowFixedHeight(0, self._heading_px)

    def _paint(self) -> None:
        chosen = style.theme()
        self._graphics.setBackground(chosen.panel)
        self._bar.setColorMap(self._colours())
        self._bar.axis.setPen(chosen.quiet)
        self._bar.axis.setTextPen(chosen.quiet)
        self._head(self._heads)
