"""Workers that are tasks of Ray: on this machine, or on all nodes of a cluster that runs already."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from labdiff.errors import UserError
from labdiff.workers.ray_runtime import joined, ray_module
from labdiff.workers.task import Done, Failed, Lost, Task, Word, Yielded


class RayWorkers:
    """Tasks of Ray, `size` of them at a time, each with the cores and GPUs that it asks for.

    address: of a cluster, "HOST:PORT" of its head; None: one of this machine's own, that ends with this.
    Raises UserError without Ray, or if the cluster cannot be reached.
    """

    def __init__(self, size: int, address: str | None = None) -> None:
        self._size, self._address = size, address
        self._ray: Any = ray_module(address)
        self._running: dict[Any, int] = {}

    @property
    def size(self) -> int:
        """How many tasks run at a time."""
        return self._size

    @property
    def words(self) -> str:
        """In words."""
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
        """Begin with a task, when a node has the cores and GPUs for it. Raises UserError if none has."""
        self._check(task)
        # Tried again here and not by Ray: what was told is not computed a second time.
        remote = self._ray.remote(_work).options(
            num_returns="streaming", num_cpus=task.cpus, num_gpus=task.gpus, max_retries=0
        )
        self._running[remote.remote(key, task)] = key

    def listen(self, timeout_s: float) -> list[Word]:
        """What has been said since; waits so long at most for something."""
        errors = self._ray.exceptions
        words: list[Word] = []
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        for stream in ready:
            key = self._running[stream]
            try:
                word: Word = self._ray.get(next(stream))
            except StopIteration:
                word = Lost(key, "its last words did not arrive")
            except (errors.RayTaskError, errors.TaskUnschedulableError) as error:
                word = Failed(key, str(error), False)
            except errors.RayError as error:
                word = Lost(key, str(error).splitlines()[0])
            if not isinstance(word, Yielded):
                del self._running[stream]
            words.append(word)
        return words

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


def _work(key: int, task: Task) -> Iterator[Word]:
    """A task on its node; what it raises is a word too."""
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
