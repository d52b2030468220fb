"""Act on signals that whoever started this process has blocked: no handler of it would ever be called."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

from labdiff.workers.ray_runtime import ENDING


def on_blocked_signal(act: Callable[[], object]) -> None:
    """Call `act` in a thread when a signal comes that asks to end and is blocked in this process.

    Ray starts all its processes with SIGINT blocked, and what they start inherits that. A blocked signal
    waits for whoever takes it from the queue, as the thread does here. Without one nothing is done.
    """
    if sys.platform == "win32":
        return
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ()) & ENDING
    if not blocked:
        return

    def wait() -> None:
        signal.sigwait(blocked)
        act()

    threading.Thread(target=wait, name="blocked signals", daemon=True).start()
