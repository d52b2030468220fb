"""Ctrl-C between two events, never in the middle of a write; the same when the system ends the program."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C; the system's wish that the program ends; its terminal was closed; the same on Windows."""


class StopOnSignal:
    """While it is entered, the first signal asks the job to stop; a second one interrupts at once.

    `labdiff.job.run` asks `requested` between events, so the bench is put back in order and the
    run file closed. A signal that is ignored, as a closed terminal is under nohup, stays ignored.
    """

    def __init__(self) -> None:
        self._requested = False
        self._before: dict[signal.Signals, Any] = {}

    def requested(self) -> bool:
        """True once Ctrl-C was pressed, or another of the signals came."""
        return self._requested

    def __enter__(self) -> StopOnSignal:
        for each in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            before = signal.getsignal(each)
            # What nohup has taken away stays away; Ctrl-C is meant whoever had it ignored.
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
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True
