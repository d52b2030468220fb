"""The console: Python lines for the running engine, in a process of its own."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, QProcess, QProcessEnvironment, Qt, Signal
from PySide6.QtGui import QFontDatabase, QKeyEvent, QShowEvent, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from drivers.own_process import package_environment

MODULE = "labdiff.api.console"
TOKEN_VARIABLE = "LABDIFF_TOKEN"
MOST_LINES, LEAST_LINES = 5000, 6
ENDS_WITHIN_MS = 1000
CLOSED = "\nThe console has ended; Restart begins another. The bench is as it was.\n"


class ConsolePanel(QWidget):
    """Shows what the console prints, and sends it lines; Up and Down bring back earlier ones.

    The process starts when the panel is first shown.

    Attributes:
        start_wanted: Emitted when the console is to be started; `start` answers.
    """

    start_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("console_panel")
        self._history: list[str] = []
        self._place = 0
        self._process: QProcess | None = None
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.text = QPlainTextEdit()
        self.text.setObjectName("console")
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(MOST_LINES)
        self.text.setFont(fixed)
        self.text.setMinimumHeight(LEAST_LINES * self.text.fontMetrics().lineSpacing())
        self.line = QLineEdit()
        self.line.setObjectName("console_line")
        self.line.setFont(fixed)
        self.line.setPlaceholderText("Python, such as: bench.set_exposure(2.0)")
        self.line.setToolTip(
            "A line of Python; Return runs it, Up and Down bring back earlier ones"
        )
        self.line.returnPressed.connect(self._send)
        self.line.installEventFilter(self)
        self.restart = QPushButton("Restart")
        self.restart.setObjectName("console_restart")
        self.restart.setToolTip(
            "End what runs in the console, and begin anew; the bench stays as it is"
        )
        self.restart.clicked.connect(self._restart)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.restart)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addLayout(row)

    @property
    def running(self) -> bool:
        """True while the console's process runs."""
        return self._process is not None

    def start(self, port: int, token: str) -> None:
        """Start the console's process.

        Args:
            port: Where the window listens, on the loopback.
            token: What it asks for; it is not on the command line, which every account can read.
        """
        environment = QProcessEnvironment()
        for name, value in package_environment().items():
            environment.insert(name, value)
        environment.insert(TOKEN_VARIABLE, token)
        environment.insert("PYTHONIOENCODING", "utf-8")
        process = self._process = QProcess(self)
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._on_finished)
        process.start(sys.executable, ["-P", "-m", MODULE, f"127.0.0.1:{port}"])

    def close_process(self) -> None:
        """End the console's process."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._on_finished)
            process.closeWriteChannel()
            process.kill()
            process.waitForFinished(ENDS_WITHIN_MS)
            process.deleteLater()

    def reset(self) -> None:
        """Keep the lines: they are the user's, and ask the engine anew."""

    def showEvent(self, event: QShowEvent) -> None:
        """Start the console when it is first shown."""
        super().showEvent(event)
        if self._process is None and not self.text.document().characterCount() > 1:
            self.start_wanted.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Bring back earlier lines with Up and Down."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None:
                self._place = min(max(self._place + step, 0), len(self._history))
                self.line.setText([*self._history, ""][self._place])
                return True
        return False

    def _send(self) -> None:
        line = self.line.text()
        if self._process is None:
            return
        self.line.clear()
        if line.strip():
            self._history.append(line)
        self._place = len(self._history)
        self._add(f"{line}\n")
        self._process.write(f"{line}\n".encode())

    def _restart(self) -> None:
        self.close_process()
        self.text.clear()
        self.start_wanted.emit()

    def _read(self) -> None:
        if self._process is not None:
            content = bytes(self._process.readAllStandardOutput().data())
            self._add(content.decode("utf-8", "replace").replace("\r\n", "\n"))

    def _add(self, text: str) -> None:
        cursor = self.text.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _on_finished(self) -> None:
        self._read()
        self._process = None
        self._add(CLOSED)
