"""Workers that are processes of this machine, used without Ray."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from labdiff.errors import UserError
from labdiff.workers.task import Done, Failed, Lost, Task, TaskEvent, Yielded

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

_SPAWN = multiprocessing.get_context("spawn")
"""Way to start processes: spawned everywhere, because a fork would copy torch's threads at work."""
PATIENCE_S = 5.0
"""Time in which a process has to end."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection[tuple[int, Task], TaskEvent]
    key: int | None = field(default=None)


class LocalWorkers:
    """Processes that run one task after another, at most `size` of them, started when needed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers: list[_Worker] = []

    @property
    def size(self) -> int:
        """Number of tasks that run at a time."""
        return self._size

    @property
    def description(self) -> str:
        """The workers in a phrase."""
        return f"{self._size} local process{'es' if self._size > 1 else ''}"

    @property
    def pids(self) -> dict[int, int]:
        """Process ids by the key of the running task."""
        return {
            worker.key: worker.process.pid
            for worker in self._workers
            if worker.key is not None and worker.process.pid is not None
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The processes write no files, so nothing that has arrived is lost.
        for worker in self._workers:
            worker.process.kill()
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(PATIENCE_S)
            worker.process.close()
        self._workers.clear()

    def submit(self, key: int, task: Task) -> None:
        """Start a task, in a new process if none is free."""
        worker = next((worker for worker in self._workers if worker.key is None), None)
        if worker is None:
            worker = self._start()
        worker.key = key
        with suppress(OSError):  # it died while it was idle: `poll` reports it as lost
            worker.pipe.send((key, task))

    def poll(self, timeout_s: float) -> list[TaskEvent]:
        """Return the events since the last call; wait at most so long for one."""
        events: list[TaskEvent] = []
        busy = [(worker, worker.key) for worker in self._workers if worker.key is not None]
        ready = wait([worker.pipe for worker, _ in busy], timeout_s)
        for worker, key in busy:
            if worker.pipe not in ready:
                continue
            try:
                event = worker.pipe.recv()
            except (EOFError, OSError):
                events.append(Lost(key, self._remove(worker)))
                continue
            events.append(event)
            if isinstance(event, Done | Failed):
                worker.key = None
        return events

    def _start(self) -> _Worker:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(there,), name="labdiff worker", daemon=True)
        process.start()
        # The worker's own end alone keeps the pipe open, so that its death is seen here.
        there.close()
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _remove(self, worker: _Worker) -> str:
        """Remove the worker of a dead process; return how the process ended."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(PATIENCE_S)
        code = worker.process.exitcode
        if code is None:
            worker.process.kill()
            worker.process.join(PATIENCE_S)
        return "its process ended" + (f" with code {code}" if code is not None else "")


def _work(pipe: Connection[TaskEvent, tuple[int, Task]]) -> None:
    """Run one task after another, until the pipe's other end is closed."""
    import torch

    # Ctrl-C reaches every process of a terminal; the process at the pipe's other end reacts to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            key, task = pipe.recv()
            torch.set_num_threads(task.cpus)
            try:
                for value in task.function(task.argument):
                    pipe.send(Yielded(key, value))
                end: TaskEvent = Done(key)
            except UserError as error:
                end = Failed(key, str(error), True)
            except Exception:
                end = Failed(key, traceback.format_exc(), False)
            pipe.send(end)
    except (EOFError, OSError):
        return
