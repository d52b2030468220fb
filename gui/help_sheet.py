"""The sheet of keyboard shortcuts (F1), made from the window's actions."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QWidget


class ShortcutSheet(QDialog):
    """Lists every action that has a shortcut."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcuts")
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout(self)
        grid.setHorizontalSpacing(3 * self.fontMetrics().averageCharWidth())
        rows = {
            action.shortcut().toString(QKeySequence.SequenceFormat.NativeText): action.text()
            for action in actions
            if not action.shortcut().isEmpty()
        }
        for row, (keys, text) in enumerate(sorted(rows.items())):
            key = QLabel(f"<b>{keys}</b>")
            key.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(key, row, 0)
            grid.addWidget(QLabel(text.replace("&", "")), row, 1)
