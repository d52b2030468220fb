"""Workers that are processes of this machine: what is used without Ray."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from labdiff.errors import UserError
from labdiff.workers.task import Done, Failed, Lost, Task, Word, Yielded

_SPAWN = multiprocessing.get_context("spawn")
"""As Windows has it, and on Linux no thread of torch is copied in the middle of its work."""
PATIENCE_S = 5.0


@dataclass(slots=True)
class _Place:
    process: BaseProcess
    pipe: Connection[tuple[int, Task], Word]
    key: int | None = field(default=None)


class LocalWorkers:
    """Processes that stay for one task after another; as many as `size`, begun when they are needed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._places: list[_Place] = []

    @property
    def size(self) -> int:
        """How many tasks run at a time."""
        return self._size

    @property
    def words(self) -> str:
        """In words."""
        return f"{self._size} local process{'es' if self._size > 1 else ''}"

    @property
    def pids(self) -> dict[int, int]:
        """Process ids by the task that is at work."""
        return {
            place.key: place.process.pid
            for place in self._places
            if place.key is not None and place.process.pid is not None
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Nothing is written there, so nothing is lost that was told.
        for place in self._places:
            place.process.kill()
            place.pipe.close()
        for place in self._places:
            place.process.join(PATIENCE_S)
            place.process.close()
        self._places.clear()

    def submit(self, key: int, task: Task) -> None:
        """Begin with a task."""
        place = next((place for place in self._places if place.key is None), None)
        if place is None:
            place = self._begin()
        place.key = key
        with suppress(OSError):  # it died while it had nothing to do: `listen` finds it lost
            place.pipe.send((key, task))

    def listen(self, timeout_s: float) -> list[Word]:
        """What has been said since; waits so long at most for something."""
        words: list[Word] = []
        busy = {place.pipe: place for place in self._places if place.key is not None}
        for pipe in wait(list(busy), timeout_s):
            place = busy[pipe]  # type: ignore[index]
            assert place.key is not None
            try:
                word = place.pipe.recv()
            except (EOFError, OSError):
                words.append(Lost(place.key, self._bury(place)))
                continue
            words.append(word)
            if isinstance(word, Done | Failed):
                place.key = None
        return words

    def _begin(self) -> _Place:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(there,), name="labdiff worker", daemon=True)
        process.start()
        # The worker's own end alone keeps the pipe open, so that its death is seen here.
        there.close()
        place = _Place(process, here)
        self._places.append(place)
        return place

    def _bury(self, place: _Place) -> str:
        self._places.remove(place)
        place.pipe.close()
        place.process.join(PATIENCE_S)
        code = place.process.exitcode
        if code is None:
            place.process.kill()
            place.process.join(PATIENCE_S)
        return "its process ended" + (f" with code {code}" if code is not None else "")


def _work(pipe: Connection[Word, tuple[int, Task]]) -> None:
    """A worker's life: one task after another, until nobody is at the other end."""
    import torch

    # Ctrl-C reaches every process of a terminal; what it means is decided at the other end of the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            key, task = pipe.recv()
            torch.set_num_threads(task.cpus)
            try:
                for value in task.function(task.argument):
                    pipe.send(Yielded(key, value))
                word: Word = Done(key)
            except UserError as error:
                word = Failed(key, str(error), True)
            except Exception:
                word = Failed(key, traceback.format_exc(), False)
            pipe.send(word)
    except (EOFError, OSError):
        return
