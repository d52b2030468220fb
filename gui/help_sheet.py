"""The sheet of keyboard shortcuts (F1): the window's actions, and the keys of its parts."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

from gui.live.canvas import KEYS as LIVE_KEYS

FIELD_KEYS = (
    ("Return", "send the number"),
    ("Esc", "restore the number before"),
    ("Up, Down", "one step up or down"),
)
CURVE_KEYS = (("Home", "show everything"),)


class ShortcutSheet(QDialog):
    """Lists every action that has a shortcut, and the keys that work where the focus is."""

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
        everywhere = [(keys, text.replace("&", "")) for keys, text in sorted(rows.items())]
        row = 0
        for title, entries in (
            ("Everywhere", everywhere),
            ("In the live view", LIVE_KEYS),
            ("In fields of numbers", FIELD_KEYS),
            ("In curves", CURVE_KEYS),
        ):
            heading = QLabel(f"<b>{title}</b>")
            grid.addWidget(heading, row, 0, 1, 2)
            for keys, text in entries:
                row += 1
                key = QLabel(keys)
                key.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(key, row, 0)
                grid.addWidget(QLabel(text), row, 1)
            row += 1
