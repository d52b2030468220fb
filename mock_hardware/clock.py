"""Time on the bench: virtual, so that nobody waits, or real."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the mock devices ask of time."""

    def now_s(self) -> float:
        """Seconds since the laboratory opened."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let time pass."""
        ...


class VirtualClock:
    """Advances only when somebody sleeps; deterministic and instant."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        """Seconds since the laboratory opened."""
        return self._now_s

    def sleep_s(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._now_s += max(seconds, 0.0)


class RealClock:
    """The machine's steady clock."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def now_s(self) -> float:
        """Seconds since the laboratory opened."""
        return time.monotonic() - self._start_s

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(seconds, 0.0))
