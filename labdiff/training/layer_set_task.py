"""One layer set learnt by itself on a twin: what a worker is sent, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drivers.phase_quantiser import PhaseQuantiser
from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import Checkpoint, TrainingStep
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import Position, TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.loop import train
from labdiff.training.methods import Method, step_counts
from labdiff.training.resume import OPTIMISER

Arrays = dict[str, npt.NDArray[Any]]
TELL_SECONDS = 1.0
"""How often a worker tells what it has; so much work a lost one costs."""


@dataclass(frozen=True, slots=True)
class LayerSetState:
    """Where a layer set is.

    step: steps done. weights: its part of each of the unit's parameters. learner: its optimiser's memory.
    """

    step: int = 0
    weights: Arrays = field(default_factory=dict)
    learner: Arrays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps, and the state after the last of them."""

    steps: tuple[TrainingStep, ...]
    state: LayerSetState


@dataclass(frozen=True, slots=True)
class TwinSnapshot:
    """The twin to learn on, as its session has it: parameters, pre-compensation (N + 1, h, w), and the SLM.

    bits: of the SLM whose grey levels layers are learnt for; 0: phases as they are. phase_by_grey_rad:
    its phase response, if that was measured.
    """

    parameters: Arrays
    precompensation_rad: npt.NDArray[np.float32]
    bits: int = 0
    phase_by_grey_rad: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, calibrated: CalibratedBench) -> TwinSnapshot:
        """Return the twin as it is now."""
        twin, bench = calibrated.twin, calibrated.bench if calibrated.has_bench else None
        return cls(
            {name: value.numpy().copy() for name, value in twin.state_dict().items()},
            calibrated.precompensation_rad.numpy().copy(),
            0 if bench is None else bench.slm.bit_depth,
            None if bench is None else bench.display.phase_by_grey_rad,
        )

    def load_into(self, calibrated: CalibratedBench) -> None:
        """Give the twin to a worker, which has no bench."""
        twin = {k: torch.from_numpy(v) for k, v in self.parameters.items()}
        calibrated.twin.load_alignment(twin)
        calibrated.precompensation_rad = torch.from_numpy(self.precompensation_rad)
        if self.bits:
            calibrated.quantiser = PhaseQuantiser(self.bits, self.phase_by_grey_rad)


@dataclass(frozen=True, slots=True)
class LayerSetTask:
    """All that a worker has to know. bench_text: of the bench file; no device is opened.

    share: of each batch, if others learn the same layer set too.
    """

    bench_text: str
    options: TrainingOptions
    data_dir: Path | None
    method: Method
    layer_set: int
    twin: TwinSnapshot
    pretrained: bool
    state: LayerSetState
    share: BatchShare | None = None


def learn(task: LayerSetTask) -> Iterator[Progress]:
    """Learn it from where its state is to its end; the last word has the last step's state."""
    config = parse_bench(task.bench_text, "bench file")
    session = TrainingSession.create(CalibratedBench(config), task.options, task.data_dir)
    session.checkpoint_seconds = TELL_SECONDS
    session.pretrained = task.pretrained
    task.twin.load_into(session.calibrated)
    put_back(session, task.layer_set, task.state)
    session.position = Position(task.method, task.layer_set, task.state.step)
    if task.state.learner:
        session.in_progress = {
            OPTIMISER + name: value for name, value in task.state.learner.items()
        }
    steps: list[TrainingStep] = []
    with closing(train(session, task.method, task.layer_set, task.share)) as job:
        for event in job:
            if isinstance(event, TrainingStep):
                steps.append(event)
            elif isinstance(event, Checkpoint):
                yield Progress(tuple(steps), _state(session, task.layer_set, session.position.step))
                steps.clear()
    count = step_counts(task.options, task.method)[task.layer_set]
    yield Progress(tuple(steps), _state(session, task.layer_set, count))


def put_back(session: TrainingSession, layer_set: int, state: LayerSetState) -> None:
    """Let the unit have these weights; what a state does not hold stays as it is."""
    with torch.no_grad():
        for name, value in session.odu.named_parameters():
            if name in state.weights:
                value[layer_set] = torch.from_numpy(np.array(state.weights[name]))


def weights_of(session: TrainingSession, layer_set: int) -> Arrays:
    """A layer set's part of each of the unit's parameters."""
    named = session.odu.named_parameters()
    return {name: value.detach()[layer_set].numpy().copy() for name, value in named}


def _state(session: TrainingSession, layer_set: int, step: int) -> LayerSetState:
    kept: Mapping[str, npt.NDArray[Any]] = session.in_progress
    learner = {
        name.removeprefix(OPTIMISER): np.array(value)
        for name, value in kept.items()
        if name.startswith(OPTIMISER)
    }
    return LayerSetState(step, weights_of(session, layer_set), learner)
