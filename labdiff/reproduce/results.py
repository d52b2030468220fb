"""The paper's results by name: a module for each, whose `job(context)` returns a `Result`."""

from __future__ import annotations

from importlib import import_module

from labdiff.errors import UserError
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Result

RESULTS = {
    **{f"figure{k}": f"labdiff.reproduce.figure{k}" for k in range(3, 10)},
    "table1": "labdiff.reproduce.table1",
}
"""Modules of the results, by name."""


def open_result(name: str, context: Context) -> Job[Result]:
    """Return the job of a result. Raises UserError for an unknown name."""
    if name not in RESULTS:
        raise UserError(f"reproduce {name}: no such result; there are {', '.join(sorted(RESULTS))}")
    job: Job[Result] = import_module(RESULTS[name]).job(context)
    return job
