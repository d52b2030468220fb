"""How a job of a notebook or a script is run: with a progress bar, a callback, or silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from labdiff.events import Event
from labdiff.job import Job, Listener, run
from labdiff.jobs.stop_signal import StopOnSignal

T = TypeVar("T")
Progress: TypeAlias = bool | Callable[[Event], None]
"""True: a progress bar. False: nothing. A function: it is called with every event of `labdiff.events`."""


def run_job(job: Job[T], progress: Progress, record: Iterable[Listener] = ()) -> T:
    """Run a job to its end and return its result; Ctrl-C stops it between two events.

    Args:
        job: The job, whose end leaves its bench safe.
        progress: What is shown meanwhile.
        record: Listeners whose failure ends the job.

    Raises:
        JobStoppedError: If the job was stopped.
    """
    with StopOnSignal() as stop, _watchers(progress) as watch:
        return run(job, record=record, watch=watch, should_stop=stop.requested)


@contextmanager
def _watchers(progress: Progress) -> Iterator[list[Listener]]:
    if callable(progress):
        yield [progress]
    elif progress:
        from labdiff.reports.notebook_progress import progress_bar

        with progress_bar() as bar:
            yield [bar]
    else:
        yield []
