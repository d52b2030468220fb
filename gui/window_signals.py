"""Signals that end or suspend the window: the laser goes off at once, then the window closes in order."""

from __future__ import annotations

import signal
from types import FrameType

from gui.window import MainWindow
from labdiff.jobs.signal_listener import SUSPEND, SignalListener, stopping_signals


class WindowSignals:
    """Handles Ctrl-C, Ctrl-Z, logout and shutdown for a window, until `close`."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        numbers = stopping_signals()
        self._listener = SignalListener(window.send_safe, numbers)
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Python calls this between two calls of the window's timer.
        if number == SUSPEND:
            self._listener.suspend()
        else:
            self._window.end()

    def close(self) -> None:
        """Handle them as before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._listener.close()
