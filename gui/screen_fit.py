"""The window's size and place: within the screen that it is on, at the first start and later."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, QTimer
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QMainWindow

FIRST_SIZE = QSize(1480, 920)
"""Size at the first start, where the screen has room for it."""
FRAME = QSize(4, 40)
"""Room for the frame that a window manager draws, which is known only when the window is shown."""


def open_on_screen(window: QMainWindow, screen: QScreen) -> None:
    """Give a window its first size, in the middle of a screen; a small screen is filled."""
    room = screen.availableGeometry()
    inner = room.size() - FRAME
    if inner.width() < FIRST_SIZE.width() or inner.height() < FIRST_SIZE.height():
        window.resize(inner)
        window.move(room.topLeft())
    else:
        window.resize(FIRST_SIZE)
        window.move(room.center() - QRect(0, 0, *FIRST_SIZE.toTuple()).center())


def bring_onto_screen(window: QMainWindow, screen: QScreen) -> None:
    """Move and shrink a window that reaches beyond its screen, such as one that was larger yesterday."""
    if window.isMaximized() or window.isFullScreen():
        return
    room = screen.availableGeometry()
    frame = window.frameGeometry().size() - window.size()
    size = window.size().boundedTo(room.size() - frame)
    if size != window.size():
        window.resize(size)
    corner, outer = window.pos(), size + frame
    furthest = room.bottomRight() - QRect(0, 0, outer.width(), outer.height()).bottomRight()
    left = max(min(corner.x(), furthest.x()), room.left())
    top = max(min(corner.y(), furthest.y()), room.top())
    if (left, top) != (corner.x(), corner.y()):
        window.move(left, top)


class ScreenFit(QObject):
    """Keeps a window within its screen: when it is shown, and when the screen becomes smaller."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the window to its screen once its frame is known; no event is stopped."""
        if event.type() == QEvent.Type.Show:
            QTimer.singleShot(0, self, self._fit)
            handle = self._window.windowHandle()
            if handle is not None:
                handle.screenChanged.connect(self._fit)
                handle.screen().availableGeometryChanged.connect(self._fit)
        return False

    def _fit(self) -> None:
        bring_onto_screen(self._window, self._window.screen())
