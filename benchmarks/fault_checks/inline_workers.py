"""A worker that is no process: a sweep's trials run where the sweep does."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from labdiff.workers.task import Done, Task, TaskEvent, Yielded


class InlineWorkers:
    """Runs one task at a time, a value with each poll."""

    size, description = 1, "this process"

    def __init__(self) -> None:
        self._running: dict[int, Iterator[Any]] = {}

    def __enter__(self) -> InlineWorkers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.clear()

    def submit(self, key: int, task: Task) -> None:
        """Begin a task."""
        self._running[key] = iter(task.function(task.argument))

    def poll(self, timeout_s: float) -> list[TaskEvent]:
        """Return the next value of the task, or its end."""
        return [self._next(key) for key in list(self._running)]

    def _next(self, key: int) -> TaskEvent:
        try:
            return Yielded(key, next(self._running[key]))
        except StopIteration:
            del self._running[key]
            return Done(key)
