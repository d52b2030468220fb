"""What a task is, what its worker says of it, and the one call through which all of them run.

A task is a generator: what it yields arrives here, one by one, wherever it runs. So files are written here
alone, and a worker that is lost costs what it had not told yet.
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
"""Workers that a task may cost."""
SLICE_S = 0.2
"""Windows sees Ctrl-C only between two waits."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do elsewhere: a generator function of a module, and its argument.

    Both cross to another process, so the argument is made of plain values and arrays. name: for messages.
    cpus: cores, and so many threads of torch. gpus: of a Ray node.
    """

    name: str
    function: Callable[[Any], Iterator[Any]]
    argument: Any
    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Yielded:
    """A task has yielded something."""

    key: int
    value: Any


@dataclass(frozen=True, slots=True)
class Done:
    """A task is at its end."""

    key: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A task has raised something. mistake: a user's, to be said without a traceback."""

    key: int
    words: str
    mistake: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The process or the machine on which a task ran is gone."""

    key: int
    why: str


Word: TypeAlias = Yielded | Done | Failed | Lost


class Workers(Protocol):
    """Places to work, `size` of them at a time; a context manager whose end stops whatever still runs."""

    @property
    def size(self) -> int:
        """How many tasks run at a time."""
        ...

    @property
    def words(self) -> str:
        """Such as "2 local processes"."""
        ...

    def submit(self, key: int, task: Task) -> None:
        """Begin with a task; there is a place for it."""
        ...

    def listen(self, timeout_s: float) -> list[Word]:
        """What has been said since, in each task's order; waits for something, so long at most."""
        ...

    def __enter__(self) -> Workers: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class TaskFailedError(Exception):
    """A task raised what is nobody's mistake but the program's, or cost too many workers."""


def run_tasks(
    workers: Workers,
    keys: Iterable[int],
    task: Callable[[int], Task],
    when_failed: Callable[[Failed], None] | None = None,
) -> Generator[tuple[int, Any], None, None]:
    """What tasks say, as (key, value), as it comes; a last (key, None) at the end of each.

    task: makes the task of a key, again if its worker was lost: it then goes on from what was told.
    when_failed: is told of tasks that fail, and the others go on; without it the first one ends all.
    Raises UserError for a user's mistake, else TaskFailedError.
    """
    waiting, running, losses = deque(keys), set[int](), Counter[int]()

    def failed(word: Failed) -> None:
        if when_failed is not None:
            when_failed(word)
        elif word.mistake:
            raise UserError(word.words)
        else:
            raise TaskFailedError(word.words)

    while waiting or running:
        while waiting and len(running) < workers.size:
            key = waiting.popleft()
            workers.submit(key, task(key))
            running.add(key)
        for word in workers.listen(SLICE_S):
            match word:
                case Yielded(key, value):
                    yield key, value
                case Done(key):
                    running.discard(key)
                    yield key, None
                case Failed(key):
                    running.discard(key)
                    failed(word)
                case Lost(key, why):
                    running.discard(key)
                    losses[key] += 1
                    log.warning("a worker is lost (%s); what it was at is given to another", why)
                    if losses[key] < TRIES:
                        waiting.appendleft(key)
                    else:
                        words = f"{TRIES} workers in a row were lost at it, the last one so: {why}"
                        failed(Failed(key, words, False))
