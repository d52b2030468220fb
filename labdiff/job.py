"""Drive a job: the one mechanism for every long piece of work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from typing import TypeAlias, TypeVar

from labdiff.errors import JobStoppedError
from labdiff.events import Event, JobEnded

T = TypeVar("T")
Job: TypeAlias = Generator[Event, None, T]
Listener: TypeAlias = Callable[[Event], None]

log = logging.getLogger(__name__)


def run(
    job: Job[T],
    *,
    record: Iterable[Listener] = (),
    watch: Iterable[Listener] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> T:
    """Run a job to its end and return its result.

    A recorder that fails ends the job (data matters); a watcher that fails is logged and dropped
    (plots do not). To stop is not to ask for the next event and to close the generator: its
    `finally` puts the bench back. The last event always says how it ended.

    Raises JobStoppedError when stopped, KeyboardInterrupt when interrupted, and whatever the job raises.
    """
    recorders = list(record)
    watchers = list(watch)

    def tell(event: Event) -> None:
        for recorder in recorders:
            recorder(event)
        for watcher in list(watchers):
            try:
                watcher(event)
            except Exception:
                log.exception("a watcher failed and is dropped; the job goes on")
                watchers.remove(watcher)

    driven = recorded(job, tell)
    try:
        while True:
            try:
                next(driven)
            except StopIteration as end:
                result: T = end.value
                return result
            if should_stop():
                raise JobStoppedError("stopped by the user")
    finally:
        driven.close()


def recorded(job: Job[T], record: Listener) -> Job[T]:
    """The job, its events told to `record` before they go on; the last one, JobEnded, goes there alone.

    For a job within a job that has a recorder of its own: its file then says by itself how it ended,
    "stopped" if the outer job no longer asks for events.
    """
    ended = JobEnded("failed", "the job did not end")
    try:
        while True:
            try:
                event = next(job)
            except StopIteration as end:
                ended = JobEnded("completed", "")
                result: T = end.value
                return result
            record(event)
            yield event
    except GeneratorExit:
        ended = JobEnded("stopped", "stopped by the user")
        raise
    except KeyboardInterrupt:
        ended = JobEnded("stopped", "interrupted")
        raise
    except BaseException as error:
        ended = JobEnded("failed", f"{type(error).__name__}: {error}")
        raise
    finally:
        try:
            job.close()
        finally:
            record(ended)
