"""Whether a run can be resumed: one answer for every button that resumes one."""

from __future__ import annotations

from pathlib import Path

from labdiff.errors import UserError
from labdiff.runs.reader import DIED, RUNNING
from labdiff.runs.summary import read_summary

RESUMABLE = ("stopped", "failed", DIED)
"""Outcomes after which a run can be resumed."""


def resume_refusal(path: Path, connected: bool, busy: bool) -> str:
    """Return why a run cannot be resumed now; "" if it can.

    Whether the open bench is the run's is compared by the engine.

    Args:
        path: The run file.
        connected: A bench is open.
        busy: A job runs.
    """
    if not connected:
        return "no bench is connected; connect the run's bench, then resume it"
    if busy:
        return "a job runs on the bench; stop it first"
    try:
        outcome = read_summary(path).outcome
    except UserError as error:
        return str(error)
    if outcome == RUNNING:
        return f"{path}: another program records this run; it can be resumed when that has ended"
    if outcome not in RESUMABLE:
        return f"{path}: the run is {outcome}; there is nothing to resume"
    return ""
