"""The emergency control: F12 and the red button make the bench safe whatever is open or has the focus."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

KEY = Qt.Key.Key_F12
KEY_EVENTS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class Emergency(QObject):
    """Sees every event of the application before its receiver does.

    The key acts also while a dialog, a menu or a list that has dropped down has the focus; the button also
    while such a list would take the click only to close itself. And no dialog becomes modal, not even one
    that Qt opens by itself: a modal one would keep the mouse from the button.

    Args:
        button: The button that makes safe; it acts when it is pressed, not when it is released.
        make_safe: Called by both.
    """

    def __init__(self, button: QPushButton, make_safe: Callable[[], None]) -> None:
        super().__init__(button)
        self._button, self._make_safe = button, make_safe
        self._pressed = False
        button.pressed.connect(make_safe)
        application = QCoreApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Act on the key and the button; nothing else is stopped."""
        kind = event.type()
        if kind in KEY_EVENTS:
            return isinstance(event, QKeyEvent) and self._on_key(event)
        if kind == QEvent.Type.MouseButtonPress:
            if watched.isWindowType() and isinstance(event, QMouseEvent):
                self._on_press(event)
        elif kind == QEvent.Type.Polish and isinstance(watched, QWidget) and watched.isModal():
            watched.setWindowModality(Qt.WindowModality.NonModal)
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        """Act on the key, and return whether it was it.

        Qt offers a press twice: as an override of shortcuts, then as such.
        """
        if event.key() != KEY:
            return False
        event.accept()
        if event.type() == QEvent.Type.ShortcutOverride:
            self._pressed = True
        elif self._pressed:
            self._pressed = False
            return True
        if not event.isAutoRepeat():
            self._make_safe()
        return True

    def _on_press(self, event: QMouseEvent) -> None:
        """Act if the button was pressed beside a menu or a list that has dropped down."""
        button, place = self._button, event.globalPosition().toPoint()
        popup = QApplication.activePopupWidget()
        if popup is None or popup.geometry().contains(place) or not button.isVisible():
            return
        if button.rect().contains(button.mapFromGlobal(place)):
            self._make_safe()
