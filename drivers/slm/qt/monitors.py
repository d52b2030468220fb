"""List the monitors as JSON, or show a big number on each: a short-lived process of its own.

`python -m drivers.slm.qt.monitors [SECONDS]`: with SECONDS it identifies.
"""

from __future__ import annotations

import json
import sys

from drivers.slm.monitor import Monitor
from drivers.slm.qt.environment import native_pixels

native_pixels()

from PySide6.QtCore import QRect, Qt, QTimer  # noqa: E402
from PySide6.QtGui import (  # noqa: E402
    QColor,
    QFont,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QRasterWindow,
    QScreen,
)

DOTS_PER_INCH = 96.0
"""Dots per inch of a desktop that is not magnified."""
SHARE = 3
"""Size of a monitor over that of the card that identifies it, in each direction."""


def describe(screen: QScreen) -> Monitor:
    """Return what Qt knows of a monitor."""
    size = screen.geometry().size()
    ratio = screen.devicePixelRatio()
    return Monitor(
        name=screen.name(),
        manufacturer=screen.manufacturer(),
        model=screen.model(),
        serial=screen.serialNumber(),
        shape=(round(size.height() * ratio), round(size.width() * ratio)),
        scale=screen.logicalDotsPerInch() / DOTS_PER_INCH,
        refresh_hz=screen.refreshRate(),
        primary=screen is QGuiApplication.primaryScreen(),
    )


class NumberCard(QRasterWindow):
    """A monitor's number and name, large, in its middle."""

    def __init__(self, number: int, screen: QScreen) -> None:
        super().__init__()
        self._number, self._name = number, describe(screen).title
        self.setScreen(screen)
        self.setFlags(
            Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
            | Qt.WindowType.WindowDoesNotAcceptFocus
            | Qt.WindowType.BypassWindowManagerHint
        )
        whole = screen.geometry()
        card = QRect(0, 0, whole.width() // SHARE, whole.height() // SHARE)
        card.moveCenter(whole.center())
        self.setGeometry(card)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint white on black: seen on an SLM too, through a polariser."""
        del event
        painter = QPainter(self)
        area = QRect(0, 0, self.width(), self.height())
        painter.fillRect(area, QColor(Qt.GlobalColor.black))
        painter.setPen(QColor(Qt.GlobalColor.white))
        upper = area.adjusted(0, 0, 0, -area.height() // 4)
        for part, text, height in (
            (upper, str(self._number), upper.height()),
            (area.adjusted(0, upper.height(), 0, 0), self._name, area.height() // 8),
        ):
            font = QFont()
            font.setPixelSize(max(8, height * 2 // 3))
            painter.setFont(font)
            painter.drawText(part, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
        painter.end()


def main(arguments: list[str]) -> int:
    """Print the monitors in Qt's order, the first has number 1; identify them if asked."""
    app = QGuiApplication(sys.argv[:1])
    screens = app.screens()
    print(json.dumps([describe(screen).as_dict() for screen in screens]), flush=True)
    if not arguments:
        return 0
    cards = [NumberCard(number, screen) for number, screen in enumerate(screens, 1)]
    for card in cards:
        card.show()
    QTimer.singleShot(round(1000.0 * float(arguments[0])), app.quit)
    code = app.exec()
    for card in cards:
        card.destroy()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
