"""Real time, for a bench of real devices."""

from __future__ import annotations

import time


class SystemClock:
    """Seconds of the machine's steady clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def catch_up(self, now_s: float) -> None:
        """Real time is what it is."""
