"""Work in another thread, so that the window does not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from labdiff.errors import UserError

T = TypeVar("T")


class Background(QObject):
    """Does one piece of work at a time, in order; results are handed over in the window's thread."""

    _finished = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pending = 0
        self._finished.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """True while a result is to be handed over."""
        return self._pending > 0

    def start(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None]
    ) -> None:
        """Do work in the thread.

        Args:
            work: The work.
            done: Called with the result, in the window's thread.
            failed: Called with a message if the work has raised an exception.
        """
        self._pending += 1

        def run() -> None:
            try:
                result = work()
            except UserError as error:
                self._report(failed, str(error))
            except (
                Exception
            ) as error:  # reported, never lost: a thread has no trace that a user sees
                self._report(failed, f"{type(error).__name__}: {error}")
            else:
                self._report(done, result)

        self._pool.start(run)

    def _report(self, receiver: Callable[[T], None], value: T) -> None:
        # The window may have been closed meanwhile.
        with suppress(RuntimeError):
            self._finished.emit(lambda: receiver(value))

    def _hand_over(self, deliver: Callable[[], None]) -> None:
        self._pending -= 1
        deliver()
