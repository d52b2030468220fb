"""The pictures of a training step side by side, all of one size: input, camera, both noises."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.colour_maps import difference_map, intensity_map, phase_map
from gui.image_view import CAMERA_HINT, CAMERA_UNIT, ImageView, Picture

LEAST_PX = 200
"""Least side of a picture."""
GAP_PX = 6


class TrainingPictures(QWidget):
    """Shows four pictures in one row where there is room for it, else in two.

    Each is at least `LEAST_PX` wide and high, and all have one size, so that a place in one is the same
    place in the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("training_pictures")
        self.views = {
            "input": ImageView("Input pattern", "rad", phase_map, bar_below=True),
            "camera": ImageView("Camera", CAMERA_UNIT, intensity_map, bar_below=True),
            "predicted": ImageView("Predicted noise", "", difference_map, True, True),
            "true": ImageView("True noise", "", difference_map, True, True),
        }
        self.views["camera"].setToolTip(CAMERA_HINT)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP_PX)
        for name, view in self.views.items():
            view.setObjectName(f"training_{name}")
            view.setMinimumSize(view.size_with(LEAST_PX))
        self._lay_out(len(self.views))

    def show_pictures(self, pictures: Mapping[str, Picture]) -> None:
        """Show the pictures of a step; both noises share their levels, so that they can be compared."""
        limit = float(abs(pictures["true"]).max()) if "true" in pictures else None
        for name, picture in pictures.items():
            if name in self.views:
                self.views[name].show_picture(picture, limit)

    def clear(self) -> None:
        """Show no pictures any more."""
        for view in self.views.values():
            view.clear()

    def minimumSizeHint(self) -> QSize:
        """Return the least size: two columns, whose height is that of the rows there are now."""
        least = self.views["input"].minimumSize()
        rows = -(-len(self.views) // self._columns)
        return QSize(2 * least.width() + GAP_PX, rows * least.height() + (rows - 1) * GAP_PX)

    def sizeHint(self) -> QSize:
        """Return the least size: what room there is goes to the curves."""
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the pictures in one row if there is room for it."""
        least_px = self.views["input"].minimumWidth()
        fits = len(self.views) * (least_px + GAP_PX) - GAP_PX <= event.size().width()
        self._lay_out(len(self.views) if fits else 2)
        super().resizeEvent(event)

    def _lay_out(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, view in enumerate(self.views.values()):
            self._grid.addWidget(view, *divmod(place, columns))
        self.updateGeometry()
