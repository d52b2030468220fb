"""An estimate of the time left, as text."""

from __future__ import annotations

import time

from labdiff.reports.labels import duration


def time_left(began_s: float, done: int, total: int) -> str:
    """Return the time left as text, such as ", 42 s left"; "" before step 2.

    Args:
        began_s: time of the steady clock at which the first step began.
        done: number of steps done.
        total: number of all steps.
    """
    if done < 2 or done >= total:
        return ""
    seconds = (time.monotonic() - began_s) / done * (total - done)
    return f", {duration(seconds)} left"
