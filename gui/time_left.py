"""The time left, and the time since something, as text."""

from __future__ import annotations

import time
from datetime import UTC, datetime

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


def ago(taken_utc: str) -> str:
    """Return how long ago a moment was, ISO 8601, UTC, as text."""
    minutes = (datetime.now(UTC) - datetime.fromisoformat(taken_utc)).total_seconds() / 60.0
    if minutes < -1.0:
        return "in the future (is the clock right?)"
    if minutes < 90.0:
        return f"{minutes:.0f} min ago"
    return f"{minutes / 60.0:.0f} h ago" if minutes < 48 * 60 else f"{minutes / 1440.0:.0f} d ago"
