"""A note beside a field: why what was typed is refused. It lies over the window and moves nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QWidget

from gui import style
from gui.widgets.plain_label import PlainLabel

FOLLOW_MS = 100
"""Time between two looks at where the field is."""
WIDTH = 46
"""Greatest width of the note, in characters."""


class RefusalNote(QObject):
    """Shows a reason below a field for as long as it holds and the field can be seen.

    Args:
        field: The field.
    """

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        self._field, self._reason = field, ""
        self._label: PlainLabel | None = None
        self._timer = QTimer(self, interval=FOLLOW_MS)
        self._timer.timeout.connect(self._follow)

    def show_reason(self, reason: str) -> None:
        """Show a reason; "" hides the note."""
        if reason == self._reason:
            return
        self._reason = reason
        if reason:
            self._timer.start()
            self._follow()
        else:
            self._timer.stop()
            self._drop()

    def _drop(self) -> None:
        label, self._label = self._label, None
        if label is not None:
            label.hide()
            label.deleteLater()

    def _follow(self) -> None:
        """Put the note where the field is now."""
        field, window = self._field, self._field.window()
        if field.visibleRegion().isEmpty():
            self._drop()
            return
        if self._label is None or self._label.parent() is not window:
            self._drop()
            self._label = _made(window)
            self._label.destroyed.connect(self._forget)
        label = self._label
        if label.text() != self._reason:
            label.setText(self._reason)
            label.adjustSize()
        below = field.mapTo(window, QPoint(0, field.height() + 2))
        if below.y() + label.height() > window.height():
            below = field.mapTo(window, QPoint(0, -label.height() - 2))
        left = max(min(below.x(), window.width() - label.width()), 0)
        label.move(left, below.y())
        label.show()
        label.raise_()

    def _forget(self) -> None:
        self._label = None


def _made(window: QWidget) -> PlainLabel:
    """Return a note that lets clicks through to what it lies on."""
    chosen = style.theme()
    label = PlainLabel()
    label.setParent(window)
    label.setObjectName("refusal_note")
    label.setWordWrap(True)
    label.setMaximumWidth(WIDTH * label.fontMetrics().averageCharWidth())
    label.setMinimumWidth(label.maximumWidth() // 2)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.setStyleSheet(
        f"background: {chosen.raised}; color: {chosen.text}; border: 1px solid {chosen.bad};"
        " border-radius: 0.2em; padding: 0.2em 0.4em;"
    )
    return label
