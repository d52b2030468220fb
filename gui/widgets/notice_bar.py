"""Notices of what went wrong, over the lower edge of the window: they move nothing, and are never modal."""

from __future__ import annotations

import qtawesome as qta
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.widgets.plain_label import PlainLabel

MARGIN = 6
"""Gap between the notice and the window's edges, px."""


class NoticeBar(QFrame):
    """Shows the latest notice, and how many came before it; hidden until there is one.

    It lies over the lower edge of the window, where the log has the same lines.

    Args:
        window: The window.

    Attributes:
        dismissed: Emitted when the user has dismissed the notice.
    """

    dismissed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)
        self.setObjectName("notice_bar")
        self.setAutoFillBackground(True)
        self._count, self._details = 0, ""
        self._icon = PlainLabel()
        self.message = PlainLabel()
        self.message.setObjectName("notice")
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = QPushButton("Details")
        self._more.setCheckable(True)
        self._more.setToolTip("What a developer needs to know")
        self._more.toggled.connect(self._toggled)
        copy = QPushButton("Copy")
        copy.setToolTip("Copy the notice and its details")
        copy.clicked.connect(self._copy)
        self._close = QToolButton()
        self._close.setObjectName("notice_close")
        self._close.setAutoRaise(True)
        self._close.setToolTip("Dismiss")
        self._close.clicked.connect(self.dismiss)
        line = QHBoxLayout()
        line.addWidget(self._icon)
        line.addWidget(self.message, 1)
        for widget in (self._more, copy, self._close):
            line.addWidget(widget)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setMaximumHeight(8 * self.fontMetrics().height())
        layout = self._rows = QVBoxLayout(self)
        layout.addLayout(line)
        layout.addWidget(self._text)
        self.hide()
        self._text.hide()
        style.style.changed.connect(self._paint)
        self._paint()

    def show_notice(self, message: str, details: str = "") -> None:
        """Show a notice in place of the one before, which is counted."""
        self._count += 1
        self._details = details
        earlier = f"   ({self._count - 1} before it, see the log)" if self._count > 1 else ""
        self.message.setText(message + earlier)
        self._more.setVisible(bool(details))
        self._more.setChecked(False)
        self._text.setPlainText(details)
        self.show()
        self._place()

    def dismiss(self) -> None:
        """Hide the notice and forget how many there were."""
        self._count = 0
        self.hide()
        self.dismissed.emit()

    def _toggled(self, on: bool) -> None:
        self._text.setVisible(on)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move to the lower edge when the window changes its size; no event is stopped."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        """Move to the lower edge of the window, as high as the notice needs."""
        room, rows = self._window.size(), self._rows
        width = room.width() - 2 * MARGIN
        height = max(rows.totalHeightForWidth(width), rows.totalMinimumSize().height())
        self.setGeometry(MARGIN, room.height() - height - MARGIN, width, height)
        self.raise_()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.message.text()}\n{self._details}".strip())

    def _paint(self) -> None:
        chosen = style.theme()
        self._icon.setPixmap(qta.icon("mdi6.alert", color=chosen.bad).pixmap(20, 20))
        self._close.setIcon(qta.icon("mdi6.close", color=chosen.quiet))
        self.setStyleSheet(
            f"#notice_bar {{ background: {chosen.raised}; border-left: 0.3em solid {chosen.bad}; }}"
        )
