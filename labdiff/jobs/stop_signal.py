"""Stop a job between two events on Ctrl-C, or when the system ends the program; never inside a write."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from labdiff.bench.bench_safety import send_all_off

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGBREAK")
"""Signals that stop a job: Ctrl-C, a request to end, a closed terminal, Ctrl-Backslash, Ctrl-Z, Break."""

SUSPEND = getattr(signal, "SIGTSTP", None)
"""Number of the signal that Ctrl-Z sends; None on Windows, which has none."""
SUSPEND_AFTER_S = 1.0
"""Longest time that Ctrl-Z waits for OFF to be sent before the program is suspended."""


class StopOnSignal:
    """Handles signals while it is entered: the first one requests a stop, a second one interrupts at once.

    The light does not wait for the job: with the first signal OFF is sent to every laser of this process.
    Ctrl-Z suspends the program after that, in the dark; when it continues, the job ends.

    `labdiff.job.run` asks `requested` between events, so the bench is made safe and the run file closed.
    A signal that is ignored, as that of a closed terminal is under nohup, stays ignored. In another thread
    than the main one, which Python never interrupts, nothing is handled.
    """

    def __init__(self) -> None:
        self._requested = False
        self._before: dict[signal.Signals, Any] = {}

    def requested(self) -> bool:
        """Return whether Ctrl-C was pressed, or another of the signals came."""
        return self._requested

    def __enter__(self) -> StopOnSignal:
        if threading.current_thread() is not threading.main_thread():
            return self
        for each in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            before = signal.getsignal(each)
            # nohup ignores the terminal's end on purpose; Ctrl-C is meant even where it was ignored.
            if before is not signal.SIG_IGN or each == signal.SIGINT:
                self._before[each] = before
                signal.signal(each, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)
        self._before.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self._requested = self._requested, True
        # In a thread: the signal may have come in the middle of a question to the laser.
        sender = threading.Thread(target=send_all_off, name="laser off", daemon=True)
        sender.start()
        if number == SUSPEND:
            sender.join(SUSPEND_AFTER_S)
            os.kill(os.getpid(), signal.SIGSTOP)
        elif again:
            raise KeyboardInterrupt
