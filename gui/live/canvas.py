"""The canvas of the live view: paints the frame on the device's pixels, zooms, pans, draws marks."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from drivers.types import Roi
from gui.live.levels import ColourTable
from gui.live.mark_painter import MarkPainter, box_between, line_between
from gui.live.raster import Raster, rasterise
from gui.live.regions import Region
from gui.live.viewport import Viewport
from gui.process.frame_ring import NumberedFrame
from gui.style import theme

ZOOM_A_NOTCH = 1.25
KEYS = (
    ("+, -", "zoom"),
    ("F", "fit the whole frame"),
    ("1", "one screen pixel for each camera pixel"),
    ("arrows", "move the crosshair by a pixel"),
    ("Shift + arrows", "move the crosshair by ten pixels"),
    ("Esc", "leave drawing a ROI, a box or a line"),
)
"""Keys that work while the canvas has the focus, and what they do."""
_HINT = "\n".join(
    [
        "Drag to move, turn the wheel to zoom, click to place the crosshair.",
        *(f"{keys}: {act}" for keys, act in KEYS),
    ]
)


class Drawing(StrEnum):
    """What the next drag draws."""

    NOTHING = ""
    ROI = "roi"
    BOX = "box"
    LINE = "line"


class Canvas(QWidget):
    """Shows frames where they lie on the sensor; all places are raw-sensor (row, column).

    Attributes:
        painted: Emitted with the number of a frame that has come to the screen.
        hovered: Emitted with the (row, column) under the mouse; None outside.
        crosshair_moved: Emitted with the crosshair's row and column.
        roi_drawn: Emitted with the region that the user has drawn.
        marked: Emitted with the box or the line that the user has drawn.
        drawing_left: Emitted when the next drag does not draw that any more: it was drawn, or Esc pressed.
        view_changed: Emitted when another part of the sensor is in view.
    """

    painted = Signal(int)
    hovered = Signal(object)
    crosshair_moved = Signal(int, int)
    roi_drawn = Signal(Roi)
    marked = Signal(object)
    drawing_left = Signal()
    view_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("live_canvas")
        self.setToolTip(_HINT)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(
            self.fontMetrics().averageCharWidth() * 24, 6 * self.fontMetrics().height()
        )
        self.empty_text = "No frames yet"
        self.viewport = Viewport()
        self._fitting = True
        self._sensor_shape: tuple[int, int] | None = None
        self._entry: NumberedFrame | None = None
        self._table: ColourTable | None = None
        self._raster: Raster | None = None
        self._unpainted = False
        self._crosshair: tuple[int, int] | None = None
        self._drawing, self._mark = Drawing.NOTHING, MarkPainter()
        self._pressed: QPointF | None = None
        self._dragged: QPointF | None = None

    def set_sensor(self, shape: tuple[int, int] | None) -> None:
        """Set the (height, width) of the whole sensor, whose outline is drawn."""
        self._sensor_shape = shape
        self._refit()

    def show_entry(self, entry: NumberedFrame | None) -> None:
        """Paint a frame from now on; None for the text that there is none."""
        moved = self._entry is None or entry is None or self._entry.frame.roi != entry.frame.roi
        self._entry, self._raster, self._unpainted = entry, None, entry is not None
        if moved:
            self._refit()
        self.update()

    def set_table(self, table: ColourTable) -> None:
        """Paint with these levels and colours."""
        if table is not self._table:
            self._table, self._raster = table, None
            self.update()

    @property
    def waiting(self) -> bool:
        """True while the last frame has not come to the screen."""
        return self._unpainted

    @property
    def crosshair(self) -> tuple[int, int] | None:
        """(row, column); None: not shown."""
        return self._crosshair

    @crosshair.setter
    def crosshair(self, place: tuple[int, int] | None) -> None:
        self._crosshair = place
        self.update()
        if place is not None:
            self.crosshair_moved.emit(*place)

    @property
    def mark(self) -> Region:
        """The box or the line whose figures are shown; None for none."""
        return self._mark.region

    @mark.setter
    def mark(self, region: Region) -> None:
        self._mark.region = region
        self.update()

    @property
    def drawing(self) -> Drawing:
        """What the next drag draws."""
        return self._drawing

    @drawing.setter
    def drawing(self, what: Drawing) -> None:
        before, self._drawing = self._drawing, what
        self._pressed = self._dragged = None
        self.setCursor(Qt.CursorShape.CrossCursor if what else Qt.CursorShape.ArrowCursor)
        self.update()
        if before and before is not what:
            self.drawing_left.emit()

    def middle(self) -> tuple[int, int]:
        """Return the (row, column) in the middle of what is in view."""
        row, column = self.viewport.place(self.width() / 2.0, self.height() / 2.0)
        return int(row), int(column)

    def fit(self) -> None:
        """Show the whole frame, and again when the frame or the window changes its size."""
        self._fitting = True
        self._refit()

    def one_to_one(self) -> None:
        """Show one sensor pixel on one pixel of the screen."""
        self._zoom(1.0 / (self.viewport.scale * self.devicePixelRatioF()))

    @property
    def scale(self) -> float:
        """Screen pixels per sensor pixel."""
        return self.viewport.scale * self.devicePixelRatioF()

    def _refit(self) -> None:
        if self._fitting and self._entry is not None:
            roi = self._entry.frame.roi
            points = (float(self.width()), float(self.height()))
            self._set_viewport(Viewport.fit(roi.top, roi.left, roi.height, roi.width, points))
        self.update()

    def _zoom(self, factor: float, at: QPointF | None = None) -> None:
        at = QPointF(self.width() / 2.0, self.height() / 2.0) if at is None else at
        self._fitting = False
        self._set_viewport(self.viewport.zoomed(factor, at.x(), at.y()))

    def _set_viewport(self, viewport: Viewport) -> None:
        self.viewport, self._raster = viewport.snapped(self.devicePixelRatioF()), None
        self.update()
        self.view_changed.emit()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, then the marks on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme().background))
        if self._entry is None:
            painter.setPen(QColor(theme().quiet))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.empty_text)
        else:
            self._paint_frame(painter, self._entry)
        self._paint_marks(painter)
        painter.end()
        if self._unpainted and self._entry is not None:
            self._unpainted = False
            self.painted.emit(self._entry.number)

    def _paint_frame(self, painter: QPainter, entry: NumberedFrame) -> None:
        if self._raster is None and self._table is not None:
            corner = self.viewport.place(0.0, 0.0)
            opposite = self.viewport.place(self.width(), self.height())
            self._raster = rasterise(entry.frame, self._table, corner, opposite, self.scale)
        if self._raster is None or self._table is None:
            return
        image = self._raster.image
        x, y = self.viewport.point(self._raster.row, self._raster.column)
        scale = self.viewport.scale * self._raster.stride
        # Below 1:1 neighbours are averaged lest fringes alias; above it pixels stay squares.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.scale < 1.0)
        painter.drawImage(QRectF(x, y, scale * image.width(), scale * image.height()), image)
        if self._raster.lone:
            painter.setPen(QPen(QColor.fromRgb(self._table.saturated_rgb), 2.0))
            painter.drawPoints([QPointF(*self.viewport.point(*at)) for at in self._raster.lone])

    def _paint_marks(self, painter: QPainter) -> None:
        if self._sensor_shape is not None and self._entry is not None:
            painter.setPen(QPen(QColor(theme().line), 0.0))
            painter.drawRect(self._rect(0.0, 0.0, *self._sensor_shape))
        if self._crosshair is not None:
            x, y = self.viewport.point(self._crosshair[0] + 0.5, self._crosshair[1] + 0.5)
            painter.setPen(QPen(QColor(theme().accent), 0.0))
            painter.drawLine(QPointF(0.0, y), QPointF(self.width(), y))
            painter.drawLine(QPointF(x, 0.0), QPointF(x, self.height()))
        self._mark.paint(painter, self.viewport, self._dragged_region())

    def _rect(self, top: float, left: float, height: float, width: float) -> QRectF:
        scale = self.viewport.scale
        return QRectF(*self.viewport.point(top, left), scale * width, scale * height)

    # What the user does

    def _dragged_region(self) -> Region:
        """Return what the drag spans within the sensor; None if it is too small, or draws nothing."""
        if not self._drawing or self._pressed is None or self._dragged is None:
            return None
        ends = [self.viewport.place(p.x(), p.y()) for p in (self._pressed, self._dragged)]
        height, width = self._sensor_shape or (0, 0)
        if self._sensor_shape is None and self._entry is not None:
            roi = self._entry.frame.roi
            height, width = roi.top + roi.height, roi.left + roi.width
        if self._drawing is Drawing.LINE:
            return line_between(ends, (height, width))
        return box_between(ends, (height, width))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._dragged = event.position(), None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read out the place under the mouse, and draw the region or move the picture."""
        at = event.position()
        row, column = self.viewport.place(at.x(), at.y())
        self.hovered.emit((int(np.floor(row)), int(np.floor(column))))
        if self._pressed is None:
            return
        if self._drawing:
            self._dragged = at
            self.update()
            return
        before = self._pressed if self._dragged is None else self._dragged
        if self._dragged is None and (at - before).manhattanLength() < 4.0:
            return
        self._dragged, self._fitting = at, False
        self._set_viewport(self.viewport.moved(at.x() - before.x(), at.y() - before.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a region or a move, or place the crosshair."""
        if self._drawing:
            drawn, what = self._dragged_region(), self._drawing
            self._pressed = self._dragged = None
            if drawn is not None:
                self.drawing = Drawing.NOTHING
                self._hand_over(what, drawn)
        elif self._pressed is not None and self._dragged is None and self._crosshair is not None:
            row, column = self.viewport.place(event.position().x(), event.position().y())
            self.crosshair = (int(np.floor(row)), int(np.floor(column)))
        self._pressed = self._dragged = None
        self.update()

    def _hand_over(self, what: Drawing, drawn: Region) -> None:
        if what is Drawing.ROI:
            self.roi_drawn.emit(drawn)
        else:
            self.mark = drawn
            self.marked.emit(drawn)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the mouse."""
        self._zoom(ZOOM_A_NOTCH ** (event.angleDelta().y() / 120.0), event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Read out nothing any more."""
        self.hovered.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again, if it was fitted."""
        self._raster = None
        self._refit()
        self.view_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair, zoom or cancel a region, by the keys that the tool tip names."""
        key = event.key()
        moves = {
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
        }
        if key in moves and self._crosshair is not None:
            far = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            down, right = moves[Qt.Key(key)]
            self.crosshair = (self._crosshair[0] + far * down, self._crosshair[1] + far * right)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(ZOOM_A_NOTCH)
        elif key == Qt.Key.Key_Minus:
            self._zoom(1.0 / ZOOM_A_NOTCH)
        elif key == Qt.Key.Key_F:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.one_to_one()
        elif key == Qt.Key.Key_Escape and self._drawing:
            self.drawing = Drawing.NOTHING
        else:
            super().keyPressEvent(event)
