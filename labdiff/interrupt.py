"""Ctrl-C between two events, never in the middle of a write."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class StopOnSignal:
    """While it is entered, the first Ctrl-C asks the job to stop; a second one interrupts at once.

    `labdiff.runner.run` asks `requested` between events, so the bench is put back in order and the
    run file closed.
    """

    def __init__(self) -> None:
        self._requested = False
        self._before: Any = None

    def requested(self) -> bool:
        """True once Ctrl-C was pressed."""
        return self._requested

    def __enter__(self) -> StopOnSignal:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True
