"""A run's report, written by a process of its own: drawing it would make the window stutter."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

PAGE = "report.html"


class ReportProcess(QObject):
    """written(page), failed(words)."""

    written = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._page = Path()
        self._process = QProcess(self)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    @property
    def busy(self) -> bool:
        """Whether one is being written."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def write(self, run_file: Path) -> None:
        """Write the report beside the run, unless one is being written."""
        if self.busy:
            return
        self._page = run_file.with_name(PAGE)
        arguments = ["-m", "labdiff", "report", str(run_file), "--out", str(self._page)]
        self._process.start(sys.executable, arguments)

    def close(self) -> None:
        """End it; a page is whole or not there."""
        self._process.kill()
        self._process.waitForFinished(2000)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if status == QProcess.ExitStatus.NormalExit and code == 0:
            self.written.emit(self._page)
            return
        words = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip()
        self.failed.emit(words or f"{self._page}: the report could not be written")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.failed.emit(f"{self._page}: {self._process.errorString()}")
