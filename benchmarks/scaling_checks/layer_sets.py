"""Eight layer sets by one process and by two: seconds, and whether the layers are the same to the bit."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from benchmarks.scaling_checks.setting import independent, session_of
from benchmarks.small_benches import small_bench_text
from labdiff.job import run
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.parallel_layer_sets import train_on_twin
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.task import Workers
from tests.support.inline_workers import InlineWorkers


@dataclass(frozen=True, slots=True)
class Compared:
    """Seconds by one process and by workers.

    alone_s: one after the other in this process; together_s: by workers, with their start and end.
    cpu_share: what this process got of its core while it was alone.
    """

    alone_s: float
    together_s: float
    different_tensors: int
    cpu_share: float

    @property
    def speed_up(self) -> float:
        """Return how many times as fast the workers are."""
        return self.alone_s / self.together_s


def measure(setting: Setting) -> Outcome:
    """Train layer sets by two workers and by one process."""
    steps = setting.amount("steps a layer set", smoke=3, quick=60, full=1500)
    layer_sets = setting.amount("layer sets", smoke=2, quick=8, full=8)
    where = setting.amount("workers", smoke="in this process", quick="local", full="local")
    found = compare(LocalWorkers(2) if where == "local" else InlineWorkers(2), steps, layer_sets)
    claims = [
        claim(
            f"{layer_sets} layer sets: 2 workers, times as fast as one", found.speed_up, ">= 1.7"
        ),
        claim(
            f"{layer_sets} layer sets: tensors that differ in a bit",
            found.different_tensors,
            "<= 0",
        ),
    ]
    figures = {
        "one_after_the_other_s": found.alone_s,
        "two_workers_s": found.together_s,
        "share_of_a_core_meanwhile": found.cpu_share,
    }
    return Outcome(claims, figures)


def compare(workers: Workers, steps: int, layer_sets: int) -> Compared:
    """Train with both, on one thread a process."""
    torch.set_num_threads(1)
    text, options = small_bench_text(40, 4), independent(layer_sets, steps)
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
