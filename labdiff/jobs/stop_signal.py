"""Stop a job between two events on Ctrl-C, or when the system ends the program; never inside a write."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from labdiff.bench.bench_safety import send_all_off
from labdiff.jobs.signal_listener import SUSPEND, SignalListener, stopping_signals


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
        self._listener: SignalListener | None = None

    def requested(self) -> bool:
        """Return whether Ctrl-C was pressed, or another of the signals came."""
        return self._requested

    def __enter__(self) -> StopOnSignal:
        if threading.current_thread() is not threading.main_thread():
            return self
        for each in stopping_signals():
            before = signal.getsignal(each)
            # nohup ignores the terminal's end on purpose; Ctrl-C is meant even where it was ignored.
            if before is not signal.SIG_IGN or each == signal.SIGINT:
                self._before[each] = before
                signal.signal(each, self._on_signal)
        self._listener = SignalListener(send_all_off, self._before)
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
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self._requested = self._requested, True
        if number == SUSPEND and self._listener is not None:
            self._listener.suspend()
        elif again:
            raise KeyboardInterrupt
