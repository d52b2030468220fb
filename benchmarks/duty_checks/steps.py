"""How training uses the bench: one batch is measured while the one before is computed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from benchmarks.duty_checks.benches import Task, opened
from benchmarks.duty_checks.identity import Used
from drivers.types import Frame
from labdiff.bench.acquisition_thread import AcquisitionThread, Pace, PendingBatch
from labdiff.bench.bench import Bench
from labdiff.session.models import build_twin


class TwinStep:
    """Prediction and gradient of the bench's twin, repeated until a step is as long as is asked for."""

    def __init__(self, task: Task) -> None:
        self._twin = build_twin(task.config)
        inputs, layers = task.images(0)
        self._inputs, self._layers = torch.from_numpy(inputs), torch.from_numpy(layers)
        self._passes = 1
        self()
        started_s = time.perf_counter()
        self()
        self._pass_s = time.perf_counter() - started_s

    def last(self, seconds: float) -> None:
        """Set how long a step lasts, about."""
        self._passes = max(1, round(seconds / self._pass_s))

    def __call__(self) -> None:
        """Compute one step."""
        for _ in range(self._passes):
            layers = self._layers.clone().requires_grad_()
            self._twin(self._inputs, layers).square().mean().backward()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Some steps after a first batch: the wall time of all, and the pace of each batch."""

    wall_s: float
    paces: list[Pace]
    used: list[Used]

    @property
    def duty(self) -> float:
        """Return frames over those that the declared timing allows between the batches' ends."""
        return sum(p.declared_s for p in self.paces) / sum(p.elapsed_s for p in self.paces)

    @property
    def frames_per_s(self) -> float:
        """Return the rate of the frames that were used."""
        return sum(p.frames for p in self.paces) / sum(p.elapsed_s for p in self.paces)


def steps_on(bench: Bench, task: Task, steps: int, twin_step: TwinStep) -> Outcome:
    """Measure as `labdiff.training.loop` does: batch k + 1 is sent before the gradient of batch k."""
    used: list[Used] = []
    sent: list[tuple[PendingBatch, Used]] = []
    paces: list[Pace] = []

    def send(step: int) -> None:
        inputs, layers = task.images(step)
        sent.append((worker.submit(inputs, layers), Used(inputs, layers, [])))

    def see(frames: list[Frame]) -> None:
        sent[0][1].frames.extend(frames)

    bench.on_frames = see
    with AcquisitionThread(bench, patience_s=60.0) as worker:
        send(0)
        started_s = 0.0
        for step in range(1 + steps):
            if step < steps:
                send(step + 1)
            sent[0][0].result()
            if step == 0:
                started_s = time.perf_counter()
            else:
                paces.append(sent[0][0].pace)
            if step < steps:
                twin_step()
            used.append(sent.pop(0)[1])
        wall_s = time.perf_counter() - started_s
    bench.on_frames = None
    return Outcome(wall_s, paces, used)


def alone(steps: int, twin_step: TwinStep) -> float:
    """Return the seconds of the computing alone."""
    started_s = time.perf_counter()
    for _ in range(steps):
        twin_step()
    return time.perf_counter() - started_s


def batch_s(task: Task) -> float:
    """Return the seconds of a batch by the declared timing."""
    with opened(task, "virtual") as (_, bench):
        return bench.declared_s(*task.images(0))
