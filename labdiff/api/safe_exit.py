"""Close benches that are still open when the program ends, also when the system ends it."""

from __future__ import annotations

import atexit
import signal
import threading
from types import FrameType
from weakref import WeakSet

from labdiff.bench.bench import Bench
from labdiff.jobs.console_close import handle_console_close

ENDING = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Names of the signals that end a program at once where nobody handles them, with the laser still on."""

_open_benches: WeakSet[Bench] = WeakSet()


def close_at_exit(bench: Bench) -> None:
    """Close a bench when the program ends, unless it is closed before."""
    if not _open_benches:
        atexit.register(_close_all)
        _exit_on_signals()
    _open_benches.add(bench)


def _close_all() -> None:
    """Close every bench; one that is closed already is left alone."""
    for bench in list(_open_benches):
        bench.close()


def _exit_on_signals() -> None:
    """Let signals end the program as `sys.exit` does, so that context managers and exit handlers run."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)
    handle_console_close()


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
