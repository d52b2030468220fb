"""One of several, for values of the bench."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox


class Choice(QComboBox):
    """A list to choose from, which the mouse wheel leaves alone."""

    def __init__(self, name: str, tip: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what lies around scroll."""
        event.ignore()
