"""The part of a frame in view, as an image that Qt paints fastest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from drivers.types import Frame
from gui.live.levels import ColourTable

LONE_PIXELS = 1000
"""Number up to which saturated pixels are marked one by one, so that none is lost below 1:1."""


@dataclass(frozen=True, slots=True)
class Raster:
    """An image to paint.

    Attributes:
        image: In the screen's own format.
        row: Sensor row of its corner.
        column: Sensor column of its corner.
        stride: Sensor pixels from one pixel of the image to the next.
        lone: (row, column) of the middles of saturated pixels that are to be marked one by one.
    """

    image: QImage
    row: int
    column: int
    stride: int
    lone: list[tuple[float, float]]


def rasterise(
    frame: Frame,
    table: ColourTable,
    corner: tuple[float, float],
    opposite: tuple[float, float],
    scale: float,
) -> Raster | None:
    """Return what lies between two corners; None if nothing does.

    At a scale of a half and less, only every second, third ... pixel is taken: Qt would not use the others
    either. Below 1:1, saturated pixels are marked one by one if they are few.

    Args:
        frame: The frame.
        table: Levels and colours.
        corner: (row, column) on the sensor of the view's first corner.
        opposite: That of the opposite corner.
        scale: Screen pixels per sensor pixel.
    """
    roi = frame.roi
    stride = max(1, int(1.0 / scale))
    top, left = max(0, int(corner[0]) - roi.top), max(0, int(corner[1]) - roi.left)
    # The same pixels wherever the picture is moved to, lest it flicker.
    top, left = top - top % stride, left - left % stride
    bottom = min(frame.pixels.shape[0], int(opposite[0]) + 1 - roi.top)
    right = min(frame.pixels.shape[1], int(opposite[1]) + 1 - roi.left)
    if bottom <= top or right <= left:
        return None
    seen: npt.NDArray[Any] = frame.pixels[top:bottom, left:right]
    row, column = roi.top + top, roi.left + left
    saturated = frame.saturated_fraction != 0.0
    indices = table.bytes_of(seen[::stride, ::stride], saturated)
    height, width = indices.shape
    image = QImage(indices.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table.entries(seen.dtype))
    marked: list[tuple[float, float]] = []
    few = frame.saturated_fraction * frame.pixels.size <= LONE_PIXELS
    if scale < 1.0 and saturated and few and table.saturation is not None:
        rows, columns = np.nonzero(seen >= table.saturation)
        marked = [(r + row + 0.5, c + column + 0.5) for r, c in zip(rows, columns, strict=True)]
    # The conversion copies: the image outlives the counts, and the screen's own format is painted fastest.
    return Raster(image.convertToFormat(QImage.Format.Format_RGB32), row, column, stride, marked)
