"""A batch of small images side by side, as large as possible."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui import style

Images = npt.NDArray[np.float32]
GAP = 1 / 12
"""Gap between images, as a fraction of their size."""


class ImageGrid(QWidget):
    """Shows images (B, H, W) in -1 ... 1, black to white, pixel by pixel; not-a-number is black."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._pictures: list[QImage] = []
        style.style.changed.connect(self.update)

    def show_images(self, images: Images) -> None:
        """Show images in place of those before; they are copied."""
        self._pictures = [grey_image(image) for image in images]
        self.update()

    @property
    def count(self) -> int:
        """Number of images shown."""
        return len(self._pictures)

    def sizeHint(self) -> QSize:
        """Return a square of twenty lines of text."""
        side = 20 * self.fontMetrics().height()
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the images in as many columns as make them largest."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(style.theme().panel))
        if not self._pictures:
            return
        ratio = self._pictures[0].width() / self._pictures[0].height()
        columns = columns_for(self.count, self.width(), self.height(), ratio)
        rows = math.ceil(self.count / columns)
        height = min(self.height() / rows, self.width() / columns / ratio) / (1 + GAP)
        size = QPointF(height * ratio, height)
        left = (self.width() - columns * size.x() * (1 + GAP)) / 2
        top = (self.height() - rows * size.y() * (1 + GAP)) / 2
        for number, picture in enumerate(self._pictures):
            row, column = divmod(number, columns)
            corner = QPointF(left + column * size.x() * (1 + GAP), top + row * size.y() * (1 + GAP))
            painter.drawImage(QRectF(corner, corner + size), picture)


def columns_for(count: int, width: float, height: float, ratio: float = 1.0) -> int:
    """Return how many columns make images largest in a rectangle.

    Args:
        count: Number of images.
        width: Width of the rectangle.
        height: Height of the rectangle.
        ratio: Width of an image over its height.
    """

    def size(columns: int) -> float:
        return min(width / columns / ratio, height / math.ceil(count / columns))

    return max(range(1, max(count, 1) + 1), key=size)


def grey_levels(images: Images) -> npt.NDArray[np.uint8]:
    """Return 0 ... 255 for -1 ... 1; values beyond are clipped, not-a-number is 0."""
    scaled = np.nan_to_num((images + 1.0) * 127.5, nan=0.0)
    levels: npt.NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return levels


def grey_image(image: Images) -> QImage:
    """Return Qt's image of one image, with its own copy of the pixels."""
    levels = np.ascontiguousarray(grey_levels(image))
    height, width = levels.shape
    return QImage(levels.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
