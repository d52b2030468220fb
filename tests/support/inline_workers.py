"""Workers that are no processes: tasks run here, an event at a time, and are lost when a test says so."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any, Self

from labdiff.errors import UserError
from labdiff.workers.task import Done, Failed, Lost, Task, TaskEvent, Yielded


class InlineWorkers:
    """lose: (key, number of events): the worker is lost once, after so many events of that task."""

    def __init__(self, size: int, lose: tuple[int, int] | None = None) -> None:
        self.size, self.description = size, f"{size} workers inline"
        self.lose = lose
        self.begun: list[int] = []
        self.most_at_once = 0
        self._sent: dict[int, int] = {}
        self._running: dict[int, Iterator[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.clear()

    def submit(self, key: int, task: Task) -> None:
        self.begun.append(key)
        self._sent[key] = 0
        self._running[key] = task.function(task.argument)
        self.most_at_once = max(self.most_at_once, len(self._running))

    def poll(self, timeout_s: float) -> list[TaskEvent]:
        return [self._next(key) for key in list(self._running)]

    def _next(self, key: int) -> TaskEvent:
        if self.lose == (key, self._sent[key]):
            self.lose = None
            del self._running[key]
            return Lost(key, "pulled out")
        try:
            value = next(self._running[key])
        except StopIteration:
            del self._running[key]
            return Done(key)
        except UserError as error:
            del self._running[key]
            return Failed(key, str(error), True)
        except Exception:
            del self._running[key]
            return Failed(key, traceback.format_exc(), False)
        self._sent[key] += 1
        return Yielded(key, value)
