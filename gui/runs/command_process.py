"""A command of labdiff in a process of its own: its computing would make the window stutter."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal


class CommandProcess(QObject):
    """Runs one command at a time.

    Attributes:
        done: Emitted with the path of the file that the command was to write.
        failed: Emitted with a message when the command has failed.
        progress: Emitted with the latest line in which the command says how far it is.
    """

    done = Signal(object)
    failed = Signal(str)
    progress = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._product = Path()
        self._ending = False
        self._process = QProcess(self)
        self._said = ""
        self._process.readyReadStandardError.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    @property
    def busy(self) -> bool:
        """True while a command runs."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self, arguments: list[str], product: Path) -> None:
        """Run `labdiff ARGUMENTS`, which writes `product`, unless a command runs."""
        if self.busy:
            return
        self._product, self._ending, self._said = product, False, ""
        self._process.start(sys.executable, ["-m", "gui.process.low_priority_cli", *arguments])

    def close(self) -> None:
        """End the command; what it writes is complete or not there."""
        self._ending = True
        self._process.kill()
        self._process.waitForFinished(2000)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._ending:
            return
        if status == QProcess.ExitStatus.NormalExit and code == 0:
            self.done.emit(self._product)
            return
        self._read()
        # Its progress stands before its last line.
        lines = self._said.strip().splitlines()
        self.failed.emit(lines[-1] if lines else f"{self._product}: could not be written")

    def _read(self) -> None:
        new = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        self._said += new
        if lines := new.strip().splitlines():
            self.progress.emit(lines[-1].strip())

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.failed.emit(f"{self._product}: {self._process.errorString()}")
