"""Work that takes longer than a blink, in another thread; the window goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from labdiff.errors import UserError

T = TypeVar("T")


class Background(QObject):
    """One thing at a time, in the order asked; what comes of it is told in the window's thread."""

    _finished = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pending = 0
        self._finished.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether anything is still to be told."""
        return self._pending > 0

    def start(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None]
    ) -> None:
        """Do the work, then call `done` with what it returns, or `failed` with what went wrong."""
        self._pending += 1

        def run() -> None:
            try:
                result = work()
            except UserError as error:
                self._report(failed, str(error))
            except Exception as error:  # told, never lost: no trace reaches the user from a thread
                self._report(failed, f"{type(error).__name__}: {error}")
            else:
                self._report(done, result)

        self._pool.start(run)

    def _report(self, told: Callable[[T], None], value: T) -> None:
        # The window may have gone while this was at work.
        with suppress(RuntimeError):
            self._finished.emit(lambda: told(value))

    def _tell(self, tell: Callable[[], None]) -> None:
        self._pending -= 1
        tell()
