"""The box or the line whose figures are shown, and what is being drawn, over the picture."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from drivers.types import Roi
from gui.live.regions import LineMark, Region
from gui.live.viewport import Viewport
from gui.style import theme

LEAST_PX = 2
"""Least side of a box, and least length of a line."""


class MarkPainter:
    """Paints a region where it lies on the sensor; what is being drawn is dashed and has its size.

    Attributes:
        region: The box or the line; None for none.
    """

    def __init__(self) -> None:
        self.region: Region = None

    def paint(self, painter: QPainter, viewport: Viewport, dragged: Region) -> None:
        """Paint the region, and what is being drawn.

        Args:
            painter: Of the picture.
            viewport: Where the sensor lies on it.
            dragged: What is being drawn; None for nothing.
        """
        painter.setPen(QPen(QColor(theme().twin), 0.0))
        _outline(painter, viewport, self.region)
        if dragged is None:
            return
        painter.setPen(QPen(QColor(theme().warn), 0.0, Qt.PenStyle.DashLine))
        corner = _outline(painter, viewport, dragged)
        painter.drawText(corner + QPointF(4.0, -4.0), _size(dragged))


def box_between(ends: Sequence[tuple[float, float]], shape: tuple[int, int]) -> Roi | None:
    """Return the box between two (row, column) within a sensor of that shape; None if it is too small."""
    rows = sorted(min(max(round(row), 0), shape[0]) for row, _ in ends)
    columns = sorted(min(max(round(column), 0), shape[1]) for _, column in ends)
    found = Roi(rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])
    return found if min(found.shape) >= LEAST_PX else None


def line_between(ends: Sequence[tuple[float, float]], shape: tuple[int, int]) -> LineMark | None:
    """Return the line between two (row, column) within a sensor of that shape; None if it is too short."""
    first, last = (
        (min(max(int(row), 0), shape[0] - 1), min(max(int(column), 0), shape[1] - 1))
        for row, column in ends
    )
    found = LineMark(first, last)
    return found if found.length_px >= LEAST_PX else None


def _outline(painter: QPainter, viewport: Viewport, region: Region) -> QPointF:
    """Paint a region and return its first corner."""
    match region:
        case Roi(top=top, left=left, height=height, width=width):
            corner = QPointF(*viewport.point(top, left))
            painter.drawRect(
                QRectF(corner.x(), corner.y(), viewport.scale * width, viewport.scale * height)
            )
            return corner
        case LineMark(start=start, end=end):
            first, last = (
                QPointF(*viewport.point(row + 0.5, column + 0.5)) for row, column in (start, end)
            )
            painter.drawLine(first, last)
            return first
        case _:
            return QPointF()


def _size(region: Region) -> str:
    match region:
        case Roi(top=top, left=left, height=height, width=width):
            return f"{width} x {height} px at row {top}, column {left}"
        case LineMark():
            return f"{region.length_px:.0f} px"
        case _:
            return ""
