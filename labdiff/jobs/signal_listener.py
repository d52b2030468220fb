"""Act on a signal at once, in a thread: Python's handlers wait until the main thread leaves a library."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from labdiff.jobs.console_close import handle_console_close

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGBREAK")
"""Signals that stop a job: Ctrl-C, a request to end, a closed terminal, Ctrl-Backslash, Ctrl-Z, Break."""
SUSPEND = getattr(signal, "SIGTSTP", None)
"""Number of the signal that Ctrl-Z sends; None on Windows, which has none."""
SUSPEND_AFTER_S = 1.0
"""Longest time that Ctrl-Z waits for OFF to be sent before the program is suspended."""


def stopping_signals() -> list[signal.Signals]:
    """Return the signals that stop a job, as far as this system has them."""
    return [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]


class SignalListener:
    """Calls `act` when one of the signals arrives, until `close`. To be made in the main thread.

    The interpreter writes the number of a signal that it handles to a socket the moment that it arrives,
    whatever the main thread does; a thread reads it there. So each signal also needs a handler
    (`signal.signal`). On Windows, closing the console comes as SIGBREAK.

    Args:
        act: called in a thread; what it raises is dropped.
        numbers: the signals.
    """

    def __init__(self, act: Callable[[], object], numbers: Iterable[int]) -> None:
        self._act, self._numbers = act, frozenset(int(number) for number in numbers)
        self._acted = threading.Event()
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        self._before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        handle_console_close()
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    def _listen(self) -> None:
        with self._read:
            while numbers := self._read.recv(64):
                if self._numbers & set(numbers):
                    with suppress(Exception):
                        self._act()
                    self._acted.set()

    def suspend(self) -> None:
        """Suspend this process as Ctrl-Z does, when `act` was called."""
        self._acted.wait(SUSPEND_AFTER_S)
        self._acted.clear()
        if sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGSTOP)

    def close(self) -> None:
        """Listen no more. To be called in the main thread."""
        signal.set_wakeup_fd(self._before)
        self._write.close()
