"""What happened, line by line."""

from __future__ import annotations

import time

from PySide6.QtGui import QFontDatabase, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

MOST_LINES = 5000
END_OF_BENCH = "---------- the bench is closed ----------"


class LogPanel(QWidget):
    """Shows lines with their time; a filter shows those that contain a text."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("log_panel")
        self._lines: list[str] = []
        self.text = QPlainTextEdit()
        self.text.setObjectName("log")
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MOST_LINES)
        self.text.setMinimumHeight(2 * self.text.fontMetrics().lineSpacing())
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("show lines that contain ...")
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip("Show the lines that contain a text")
        self.filter.textChanged.connect(self._refill)
        clear = QPushButton("Clear")
        clear.setToolTip("Remove all lines from view")
        clear.clicked.connect(self._clear)
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(9, 4, 9, 4)  # two lines fit where the panel is lowest
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.text, 1)

    def add(self, message: str) -> None:
        """Add a line."""
        line = f"{time.strftime('%H:%M:%S')}  {message}"
        self._lines = [*self._lines[-MOST_LINES + 1 :], line]
        if self.filter.text().lower() in line.lower():
            bar = self.text.verticalScrollBar()
            follows, place = bar.value() >= bar.maximum(), bar.value()
            self.text.appendPlainText(line)
            bar.setValue(bar.maximum() if follows else place)

    def reset(self) -> None:
        """Keep the lines, which have their times, and mark where the last bench ends."""
        if self._lines and not self._lines[-1].endswith(END_OF_BENCH):
            self.add(END_OF_BENCH)

    def _refill(self, wanted: str) -> None:
        shown = [line for line in self._lines if wanted.lower() in line.lower()]
        self.text.setPlainText("\n".join(shown))
        self.text.moveCursor(QTextCursor.MoveOperation.End)

    def _clear(self) -> None:
        self._lines = []
        self.text.clear()
