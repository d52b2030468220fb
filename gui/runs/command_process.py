"""A command of labdiff in a process of its own: what it computes would make the window stutter."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal


class CommandProcess(QObject):
    """done(what it was to write), failed(words). One at a time."""

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._product = Path()
        self._ending = False
        self._process = QProcess(self)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    @property
    def busy(self) -> bool:
        """Whether it is at work."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self, arguments: list[str], product: Path) -> None:
        """Run `labdiff ARGUMENTS`, which writes `product`, unless one is at work."""
        if self.busy:
            return
        self._product, self._ending = product, False
        self._process.start(sys.executable, ["-m", "gui.process.low_priority_cli", *arguments])

    def close(self) -> None:
        """End it; what it writes is whole or not there."""
        self._ending = True
        self._process.kill()
        self._process.waitForFinished(2000)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._ending:
            return
        if status == QProcess.ExitStatus.NormalExit and code == 0:
            self.done.emit(self._product)
            return
        words = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip()
        # What it showed of its progress stands before its last line.
        lines = words.splitlines()
        self.failed.emit(lines[-1] if lines else f"{self._product}: could not be written")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.failed.emit(f"{self._product}: {self._process.errorString()}")
