"""The window: grey levels, one to a pixel of one monitor, and nothing else on it."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QPainter,
    QPaintEvent,
    QRasterWindow,
    QScreen,
)

from drivers.slm.qt.vblank import vertical_blank


class PatternWindow(QRasterWindow):
    """Covers a screen. It keeps its own copy of the pattern, so that nobody can change what stands."""

    def __init__(self, screen: QScreen) -> None:
        super().__init__()
        self._screen = screen
        size = screen.geometry().size()
        self._levels: npt.NDArray[np.uint8] = np.zeros((size.height(), size.width()), np.uint8)
        self.setScreen(screen)
        # No window manager between us and the pixels, no focus to take, and no pointer on the SLM.
        self.setFlags(
            Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
            | Qt.WindowType.WindowDoesNotAcceptFocus
            | Qt.WindowType.BypassWindowManagerHint
        )
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.setGeometry(screen.geometry())
        self.show()
        QGuiApplication.sync()
        self._blank = vertical_blank(
            QGuiApplication.platformName(), int(self.winId()), screen.refreshRate()
        )

    @property
    def swap_method(self) -> str:
        """How the time of a swap is known."""
        return self._blank.description

    def wrong(self) -> str | None:
        """Return why the monitor's pixels are not the pattern's; None if they are."""
        if self.devicePixelRatio() != 1.0:
            return f"the desktop magnifies the window by {self.devicePixelRatio():g}"
        if self.geometry() != self._screen.geometry():
            here, there = self.geometry(), self._screen.geometry()
            return (
                f"the window covers {here.width()} x {here.height()} pixels at "
                f"({here.x()}, {here.y()}) and the monitor {there.width()} x {there.height()} at "
                f"({there.x()}, {there.y()})"
            )
        return None

    def show_levels(self, levels: npt.NDArray[np.uint8]) -> tuple[float, float]:
        """Show levels (height, width), or colours (height, width, 3).

        Returns when they lay in the frame buffer, and the blank after, seconds.
        """
        self._levels = levels.copy()
        self.update()
        # At once, not when Qt's timer for updates comes round.
        QCoreApplication.sendEvent(self, QEvent(QEvent.Type.UpdateRequest))
        QGuiApplication.sync()
        copied_s = time.monotonic()
        return copied_s, self._blank.wait()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the levels into the window's buffer, one for one."""
        del event
        height, width = self._levels.shape[:2]
        if self._levels.ndim == 3:
            kind, line = QImage.Format.Format_RGB888, 3 * width
        else:
            kind, line = QImage.Format.Format_Grayscale8, width
        image = QImage(self._levels.data, width, height, line, kind)
        painter = QPainter(self)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(0, 0, image)
        painter.end()
