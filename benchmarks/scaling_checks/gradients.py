"""The first gradient of a layer set, by one process and by two through gloo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from benchmarks.scaling_checks.setting import independent, session_of
from benchmarks.small_benches import small_bench_text
from labdiff.training.batch_share import BatchShare
from labdiff.training.batches import draw_batch
from labdiff.training.data_parallel import free_port, group
from labdiff.training.forward_choice import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.task import Task, Workers, run_tasks
from tests.support.inline_workers import InlineWorkers

Argument = tuple[int, int, int]


def first_gradient(argument: Argument) -> Iterator[npt.NDArray[np.float32]]:
    """Yield all parameters' gradients in a row, for (rank, count, port); a port of 0: no group."""
    rank, count, port = argument
    options = independent(2, 10, batch=6)
    session = session_of(small_bench_text(40, 4), options)
    if port == 0:
        yield _gradient(session)
        return
    share = BatchShare(rank, count)
    with group(share, port):
        yield _gradient(session, share)


def measure(setting: Setting) -> Outcome:
    """Compare the gradient of each process with that of one alone."""
    torch.set_num_threads(1)
    processes = setting.amount("processes", smoke=1, quick=2, full=2)
    # One process that joins the group by itself needs no process of its own.
    workers = InlineWorkers(1) if processes == 1 else LocalWorkers(processes)
    title = (
        f"gloo, {processes} processes: largest difference of a gradient, over its largest element"
    )
    return Outcome([claim(title, largest_difference(workers, processes), "<= 1e-6")])


def largest_difference(workers: Workers, processes: int) -> float:
    """Return the largest difference of a process's gradient over its largest element."""
    alone = next(first_gradient((0, 1, 0)))
    port, worst = free_port(), 0.0

    def task(rank: int) -> Task:
        return Task(f"share {rank}", first_gradient, (rank, processes, port))

    with workers:
        for _, gradient in run_tasks(workers, range(processes), task):
            if gradient is not None:
                worst = max(worst, float(np.abs(gradient - alone).max()))
    return worst / float(np.abs(alone).max())


def _gradient(session: Any, share: BatchShare | None = None) -> npt.NDArray[np.float32]:
    learner = LayerOptimiser(session.odu, 1, session.options, 0.1, 10)
    batch = draw_batch(session, "offline", 1, 0, share)
    forward = forward_of(session, "offline")
    submitted = forward.submit(batch, 1, learner.phases)
    loss = training_loss(session, submitted, forward(submitted), 1)
    learner.backward(loss, share)
    parts = [
        np.zeros(p.shape, np.float32) if p.grad is None else p.grad.numpy()
        for p in learner.parameters
    ]
    return np.concatenate([part.ravel() for part in parts])
