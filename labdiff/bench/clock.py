"""Time on a bench: virtual in a mock laboratory, or real."""

from __future__ import annotations

import time
from typing import Protocol


class BenchClock(Protocol):
    """Where waiting happens: the virtual clock of a mock laboratory, or real time."""

    def now_s(self) -> float:
        """Return the seconds since an arbitrary start."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def catch_up(self, now_s: float) -> None:
        """Let virtual time go on from the moment at which a measurement was cut short."""
        ...


class SystemClock:
    """Real time, for a bench of real devices: seconds of the machine's steady clock."""

    def now_s(self) -> float:
        """Return the seconds since an arbitrary start."""
        return time.monotonic()

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def catch_up(self, now_s: float) -> None:
        """Do nothing: real time goes on by itself."""
