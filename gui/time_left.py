"""An estimate of the time left, as text."""

from __future__ import annotations

import time

from labdiff.reports.labels import duration


def time_left(began_s: float, done: int, total: int) -> str:
    """Return ", 42 s left" from the steps done since `began_s` of the steady clock; "" before step 2."""
    if done < 2 or done >= total:
        return ""
    seconds = (time.monotonic() - began_s) / done * (total - done)
    return f", {duration(seconds)} left"
