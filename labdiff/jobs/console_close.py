"""Closing a console of Windows, logging off and shutting down: each becomes the signal SIGBREAK.

Windows reports them to handlers of its own, in a thread that it starts, and ends the process as soon as a
handler returns. The C library makes SIGBREAK of them too, but returns at once: the job would end in the
midst of a write, and the laser would stay on. The handler here waits, so that the job ends in good order.

Source: Microsoft, HandlerRoutine callback function and SetConsoleCtrlHandler.
"""

from __future__ import annotations

import signal
import sys
import threading

CLOSE, LOG_OFF, SHUT_DOWN = 2, 5, 6
"""Numbers of Windows' events: CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT."""
ENDS_WITHIN_S = 4.5
"""Time that a process gets to end by itself; Windows ends it 5 s after the event."""

_registered: list[object] = []
"""Routine that Windows calls, kept alive for as long as the process lives; empty until it is registered."""


class ConsoleCloseHandler:
    """Turns the events that end a console into a signal, and holds Windows up while the program ends.

    Args:
        number: of the signal, SIGBREAK on Windows.
        ends_within_s: longest time for which an event is held up.

    Attributes:
        released: set to hold Windows up no longer.

    Example:
        >>> ConsoleCloseHandler(signal.SIGINT)(0)
        False
    """

    def __init__(self, number: int, ends_within_s: float = ENDS_WITHIN_S) -> None:
        self._number, self._ends_within_s = number, ends_within_s
        self.released = threading.Event()

    def __call__(self, event: int) -> bool:
        """Handle an event; return False for Ctrl-C and Ctrl-Break, which the C library makes signals of."""
        if event not in (CLOSE, LOG_OFF, SHUT_DOWN):
            return False
        signal.raise_signal(self._number)
        self.released.wait(self._ends_within_s)
        return True


def handle_console_close() -> None:
    """Let closing the console end this program in good order. Idempotent; nothing is done but on Windows.

    What SIGBREAK does is for the program to decide, as for any signal.
    """
    if sys.platform == "win32" and not _registered:
        import ctypes
        from ctypes import wintypes

        routine = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(
            ConsoleCloseHandler(signal.SIGBREAK)
        )
        if ctypes.windll.kernel32.SetConsoleCtrlHandler(routine, True):
            _registered.append(routine)
