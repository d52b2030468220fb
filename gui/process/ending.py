"""Processes of a bench that are to end: waited for beside the window, so that it answers meanwhile."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal

from gui.process.bench_process import PATIENCE_S, BenchProcess

POLL_MS = 50


class EndingProcesses(QObject):
    """Lets processes leave their bench safe, and kills those that do not end in time.

    Attributes:
        ended: Emitted when none is left.
    """

    ended = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ending: list[tuple[BenchProcess, float]] = []
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def busy(self) -> bool:
        """True while a process has not ended."""
        return bool(self._ending)

    def add(self, process: BenchProcess) -> None:
        """Switch a bench's laser off at once, and let its process end."""
        process.make_safe()
        process.quit()
        self._ending.append((process, time.monotonic() + PATIENCE_S))
        self._timer.start()

    def close(self) -> None:
        """Wait for all of them; the program ends."""
        self._timer.stop()
        for process, _ in self._ending:
            process.close()
        self._ending.clear()

    def _poll(self) -> None:
        now_s = time.monotonic()
        for process, end_s in list(self._ending):
            process.poll()
            if not process.alive or now_s > end_s:
                process.close(0.0)
                self._ending.remove((process, end_s))
        if not self._ending:
            self._timer.stop()
            self.ended.emit()
