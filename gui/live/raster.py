"""The seen part of a frame as an image that Qt paints fastest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from drivers.types import Frame
from gui.live.levels import ColourTable

LONE_PIXELS = 1000
"""Up to so many saturated pixels are named one by one, that none is lost in a smaller picture."""


@dataclass(frozen=True, slots=True)
class Raster:
    """image: in the screen's own format, one pixel a sensor pixel; row, column: of its corner.

    lone: (row, column) of the middles of saturated pixels that are to be marked one by one.
    """

    image: QImage
    row: int
    column: int
    lone: list[tuple[float, float]]


def rasterise(
    frame: Frame,
    table: ColourTable,
    corner: tuple[float, float],
    opposite: tuple[float, float],
    lone: bool,
) -> Raster | None:
    """What lies between two corners, (row, column) on the sensor; None if nothing does.

    lone: mark saturated pixels one by one if they are few.
    """
    roi = frame.roi
    top, left = max(0, int(corner[0]) - roi.top), max(0, int(corner[1]) - roi.left)
    bottom = min(frame.pixels.shape[0], int(opposite[0]) + 1 - roi.top)
    right = min(frame.pixels.shape[1], int(opposite[1]) + 1 - roi.left)
    if bottom <= top or right <= left:
        return None
    seen: npt.NDArray[Any] = frame.pixels[top:bottom, left:right]
    row, column = roi.top + top, roi.left + left
    saturated = frame.saturated_fraction != 0.0
    indices = table.bytes_of(seen, saturated)
    height, width = indices.shape
    image = QImage(indices.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table.entries(seen.dtype))
    marked: list[tuple[float, float]] = []
    few = frame.saturated_fraction * frame.pixels.size <= LONE_PIXELS
    if lone and saturated and few and table.saturation is not None:
        rows, columns = np.nonzero(seen >= table.saturation)
        marked = [(r + row + 0.5, c + column + 0.5) for r, c in zip(rows, columns, strict=True)]
    # The copy is Qt's: it does not outlive the counts, and a screen's own format is painted fastest.
    return Raster(image.convertToFormat(QImage.Format.Format_RGB32), row, column, marked)
