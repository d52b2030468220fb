"""Drive a job: a generator of events is the one mechanism for every long piece of work."""

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
    `finally` puts the bench back. The last event, `JobEnded`, always says how the job ended.

    Example:
        result = run(job, record=[recorder], watch=[progress_bar])

    Args:
        job: the generator of events; what it returns is the result.
        record: called with every event, in this order, before any watcher.
        watch: called with every event after the recorders.
        should_stop: asked after every event; True stops the job.

    Raises:
        JobStoppedError: `should_stop` returned True.
        KeyboardInterrupt: the process was interrupted.
        Exception: whatever the job or a recorder raises.
    """
    recorders = list(record)
    watchers = list(watch)

    def dispatch(event: Event) -> None:
        for recorder in recorders:
            recorder(event)
        for watcher in list(watchers):
            try:
                watcher(event)
            except Exception:
                log.exception("a watcher failed and is dropped; the job continues")
                watchers.remove(watcher)

    driven = recorded(job, dispatch)
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
    """Yield a job's events, each after `record` has received it; `JobEnded` goes to `record` alone.

    A job within a job has a recorder of its own in this way: its file says how the inner job ended,
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
    except JobStoppedError as error:
        ended = JobEnded("stopped", str(error))
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
