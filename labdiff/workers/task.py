"""Tasks, the events that their workers send, and the one call that runs tasks on workers.

A task is a generator: the values that it yields arrive in the calling process, one by one, wherever it
runs. So files are written by the calling process alone, and a lost worker costs only what it had not sent.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from labdiff.errors import UserError

log = logging.getLogger(__name__)

TRIES = 3
"""Number of workers that may be lost at one task before the task has failed."""
POLL_S = 0.2
"""Longest single wait for an event: on Windows Ctrl-C is seen only between two waits."""


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work for a worker: a generator function of a module, and its argument.

    Both cross to another process, so the argument consists of plain values and arrays. name: for messages.
    cpus: number of cores, and of torch's threads. gpus: number of GPUs of a Ray node.
    """

    name: str
    function: Callable[[Any], Iterator[Any]]
    argument: Any
    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Yielded:
    """A task has yielded a value."""

    key: int
    value: Any


@dataclass(frozen=True, slots=True)
class Done:
    """A task has ended."""

    key: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A task has raised an error. user_error: a mistake of the user, reported without a traceback."""

    key: int
    message: str
    user_error: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The process or the machine on which a task ran is gone."""

    key: int
    reason: str


TaskEvent: TypeAlias = Yielded | Done | Failed | Lost


class Workers(Protocol):
    """A context manager that runs tasks, `size` at a time; its end stops the tasks that still run."""

    @property
    def size(self) -> int:
        """Number of tasks that run at a time."""
        ...

    @property
    def description(self) -> str:
        """The workers in a phrase, such as "2 local processes"."""
        ...

    def submit(self, key: int, task: Task) -> None:
        """Start a task; fewer than `size` tasks are running."""
        ...

    def poll(self, timeout_s: float) -> list[TaskEvent]:
        """Return the events since the last call, in each task's order; wait for one if there is none."""
        ...

    def __enter__(self) -> Workers: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class TaskFailedError(Exception):
    """A task raised an error that is the program's fault, or too many workers were lost at it."""


def run_tasks(
    workers: Workers,
    keys: Iterable[int],
    task: Callable[[int], Task],
    when_failed: Callable[[Failed], None] | None = None,
) -> Generator[tuple[int, Any], None, None]:
    """Run tasks; yield (key, value) for every value in the order of arrival, (key, None) at a task's end.

    Args:
        workers: run the tasks; entered by the caller.
        keys: numbers of the tasks.
        task: makes the task of a key; called again if its worker was lost, to continue from what arrived.
        when_failed: called with a task's failure, after which the others continue; without it the first
            failure ends all.

    Raises:
        UserError: a task raised it, and `when_failed` is None.
        TaskFailedError: a task failed otherwise, and `when_failed` is None.
    """
    waiting, running, losses = deque(keys), set[int](), Counter[int]()

    def failed(failure: Failed) -> None:
        if when_failed is not None:
            when_failed(failure)
        elif failure.user_error:
            raise UserError(failure.message)
        else:
            raise TaskFailedError(failure.message)

    while waiting or running:
        while waiting and len(running) < workers.size:
            key = waiting.popleft()
            workers.submit(key, task(key))
            running.add(key)
        for event in workers.poll(POLL_S):
            match event:
                case Yielded(key, value):
                    yield key, value
                case Done(key):
                    running.discard(key)
                    yield key, None
                case Failed(key):
                    running.discard(key)
                    failed(event)
                case Lost(key, reason):
                    running.discard(key)
                    losses[key] += 1
                    log.warning("a worker is lost (%s); its task is given to another", reason)
                    if losses[key] < TRIES:
                        waiting.appendleft(key)
                    else:
                        message = f"{TRIES} workers were lost at this task, the last one: {reason}"
                        failed(Failed(key, message, False))
