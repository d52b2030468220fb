"""The paper's results, one file a result: `job(context)` gives a `Finding`.

A result is added by its file and by one line here.
"""

from __future__ import annotations

from importlib import import_module

from labdiff.errors import UserError
from labdiff.reproduce.context import Context
from labdiff.reproduce.finding import Finding
from labdiff.runner import Job

__all__ = ["RESULTS", "Context", "Finding", "open_result"]

RESULTS = {
    **{f"figure{k}": f"labdiff.reproduce.figure{k}" for k in range(3, 10)},
    "table1": "labdiff.reproduce.table1",
}
"""Name of a result -> the module whose `job` finds it."""


def open_result(name: str, context: Context) -> Job[Finding]:
    """The job of a result. Raises UserError for a name that is not there."""
    if name not in RESULTS:
        raise UserError(f"reproduce {name}: no such result; there are {', '.join(sorted(RESULTS))}")
    job: Job[Finding] = import_module(RESULTS[name]).job(context)
    return job
