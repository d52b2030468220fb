"""Workers that are tasks of Ray: on this machine, or on all nodes of a running cluster."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from labdiff.errors import UserError
from labdiff.workers.ray_runtime import joined, ray_module
from labdiff.workers.task import Done, Failed, Lost, Task, TaskEvent, Yielded


class RayWorkers:
    """Runs tasks on Ray, `size` at a time, each with the cores and GPUs that it asks for.

    address: "HOST:PORT" of a cluster's head; None: a cluster of this machine, which ends with the workers.
    Raises UserError without Ray, or if the cluster cannot be reached.
    """

    def __init__(self, size: int, address: str | None = None) -> None:
        self._size, self._address = size, address
        self._ray: Any = ray_module(address)
        self._running: dict[Any, int] = {}

    @property
    def size(self) -> int:
        """Number of tasks that run at a time."""
        return self._size

    @property
    def description(self) -> str:
        """The workers in a phrase."""
        where = f"the cluster at {self._address}" if self._address else "this machine"
        return f"{self._size} task{'s' if self._size > 1 else ''} of Ray on {where}"

    def __enter__(self) -> Self:
        self._joined = joined(self._address, self._size)
        self._joined.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._running:
            self._ray.cancel(stream, force=True)
        self._running.clear()
        self._joined.__exit__(kind, error, trace)

    def submit(self, key: int, task: Task) -> None:
        """Start a task once a node has free cores and GPUs. Raises UserError if no node has enough."""
        self._check(task)
        # `run_tasks` tries again, and not Ray, so that what has arrived is not computed a second time.
        remote = self._ray.remote(_work).options(
            num_returns="streaming", num_cpus=task.cpus, num_gpus=task.gpus, max_retries=0
        )
        self._running[remote.remote(key, task)] = key

    def poll(self, timeout_s: float) -> list[TaskEvent]:
        """Return the events since the last call; wait at most so long for one."""
        errors = self._ray.exceptions
        events: list[TaskEvent] = []
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        for stream in ready:
            key = self._running[stream]
            try:
                event: TaskEvent = self._ray.get(next(stream))
            except StopIteration:
                event = Lost(key, "its last event did not arrive")
            except (errors.RayTaskError, errors.TaskUnschedulableError) as error:
                event = Failed(key, str(error), False)
            except errors.RayError as error:
                event = Lost(key, str(error).splitlines()[0])
            if not isinstance(event, Yielded):
                del self._running[stream]
            events.append(event)
        return events

    def _check(self, task: Task) -> None:
        largest: dict[str, float] = {}
        for node in self._ray.nodes():
            if node["Alive"]:
                for name, amount in node["Resources"].items():
                    largest[name] = max(largest.get(name, 0.0), amount)
        for name, wanted in (("CPU", task.cpus), ("GPU", task.gpus)):
            if wanted > largest.get(name, 0.0):
                raise UserError(
                    f"{task.name}: asks for {wanted:g} {name} on one node; the largest node of the "
                    f"cluster has {largest.get(name, 0.0):g}"
                )


def _work(key: int, task: Task) -> Iterator[TaskEvent]:
    """Run a task on its node; an error that it raises is its last event."""
    import torch

    torch.set_num_threads(task.cpus)
    try:
        for value in task.function(task.argument):
            yield Yielded(key, value)
    except UserError as error:
        yield Failed(key, str(error), True)
    except Exception:
        yield Failed(key, traceback.format_exc(), False)
    else:
        yield Done(key)
