"""Time on the bench: virtual, so that nobody waits, or real."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The time of a laboratory, as its devices read it and wait."""

    def now_s(self) -> float:
        """Return the seconds since the laboratory opened."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def catch_up(self, now_s: float) -> None:
        """Set a virtual clock forward to at least this time."""
        ...


class VirtualClock:
    """Advances only when somebody sleeps; deterministic and instant."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        """Return the seconds since the laboratory opened."""
        return self._now_s

    def sleep_s(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._now_s += max(seconds, 0.0)

    def catch_up(self, now_s: float) -> None:
        """Set the time forward to at least this time."""
        self._now_s = max(self._now_s, now_s)

    def restore(self, now_s: float) -> None:
        """Set the time of a clock whose state was stored."""
        self._now_s = now_s


class RealClock:
    """The machine's steady clock."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def now_s(self) -> float:
        """Return the seconds since the laboratory opened."""
        return time.monotonic() - self._start_s

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(seconds, 0.0))

    def catch_up(self, now_s: float) -> None:
        """Do nothing: real time cannot be advanced."""
