"""Eight layer sets by one process and by two: seconds, and whether the layers are the same to the bit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from benchmarks.scaling_checks.setting import independent, session_of, small_bench_text
from labdiff.job import run
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.parallel_layer_sets import train_on_twin
from labdiff.workers.task import Workers


@dataclass(frozen=True, slots=True)
class Compared:
    """alone_s: one after the other in this process; together_s: by workers, with their start and end.

    cpu_share: what this process got of its core while it was alone.
    """

    alone_s: float
    together_s: float
    different_tensors: int
    cpu_share: float

    @property
    def speed_up(self) -> float:
        """How many times as fast."""
        return self.alone_s / self.together_s


def compare(workers: Workers, steps: int, layer_sets: int = 8) -> Compared:
    """Both on one thread a process."""
    torch.set_num_threads(1)
    text, options = small_bench_text(), independent(layer_sets, steps)
    alone, together = session_of(text, options), session_of(text, options)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    run(train(alone, "offline"))
    alone_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    began_s = time.perf_counter()
    run(train_on_twin(together, "offline", text, workers))
    together_s = time.perf_counter() - began_s
    return Compared(alone_s, together_s, _different(alone, together), cpu_s / alone_s)


def _different(one: TrainingSession, other: TrainingSession) -> int:
    pairs = zip(one.odu.state_dict().values(), other.odu.state_dict().values(), strict=True)
    return sum(not torch.equal(a, b) for a, b in pairs)
