"""The first gradient of a layer set, by one process and by two through gloo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.scaling_checks.setting import independent, session_of, small_bench_text
from labdiff.training.batch_share import BatchShare
from labdiff.training.batches import draw_batch
from labdiff.training.data_parallel import free_port, group
from labdiff.training.forward import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.task import Task, run_tasks

Argument = tuple[int, int, int]


def first_gradient(argument: Argument) -> Iterator[npt.NDArray[np.float32]]:
    """(rank, count, port): all parameters' gradients in a row. With a count of 1 there is no group."""
    rank, count, port = argument
    options = independent(2, 10, batch=6)
    session = session_of(small_bench_text(), options)
    if count == 1:
        yield _gradient(session)
        return
    share = BatchShare(rank, count)
    with group(share, port):
        yield _gradient(session, share)


def largest_difference(processes: int = 2) -> float:
    """Over the largest element of the gradient: that of each process beside that of one alone."""
    alone = next(first_gradient((0, 1, 0)))
    port, worst = free_port(), 0.0

    def task(rank: int) -> Task:
        return Task(f"share {rank}", first_gradient, (rank, processes, port))

    with LocalWorkers(processes) as workers:
        for _, gradient in run_tasks(workers, range(processes), task):
            if gradient is not None:
                worst = max(worst, float(np.abs(gradient - alone).max()))
    return worst / float(np.abs(alone).max())


def _gradient(session: Any, share: BatchShare | None = None) -> npt.NDArray[np.float32]:
    learner = LayerOptimiser(session.odu, 1, session.options, 0.1, 10)
    batch = draw_batch(session, "offline", 1, 0, share)
    forward = forward_of(session, "offline")
    result = forward(forward.submit(batch, 1, learner.phases))
    learner.backward(training_loss(session.odu, batch, result, 1), share)
    parts = [
        np.zeros(p.shape, np.float32) if p.grad is None else p.grad.numpy()
        for p in learner.parameters
    ]
    return np.concatenate([part.ravel() for part in parts])
