"""Time on a bench: virtual in a mock laboratory, or real."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where waiting happens: the virtual clock of a mock laboratory, or real time."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def catch_up(self, now_s: float) -> None:
        """A measurement goes on that was cut short at now_s: virtual time goes on from there."""
        ...


class SystemClock:
    """Real time, for a bench of real devices: seconds of the machine's steady clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def catch_up(self, now_s: float) -> None:
        """Real time is what it is."""
