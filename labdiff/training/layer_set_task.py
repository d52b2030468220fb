"""One layer set trained by itself on a twin: what a worker is sent, and what it reports."""

from __future__ import annotations

from collections.abc import Iterator
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
REPORT_SECONDS = 1.0
"""Time between two reports of a worker: the longest whose work is lost with it."""


@dataclass(frozen=True, slots=True)
class LayerSetState:
    """Where the training of a layer set is.

    step: number of steps done. weights: its part of each of the unit's parameters. optimiser: its
    optimiser's state.
    """

    step: int = 0
    weights: Arrays = field(default_factory=dict)
    optimiser: Arrays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps, and the state after the last of them."""

    steps: tuple[TrainingStep, ...]
    state: LayerSetState


@dataclass(frozen=True, slots=True)
class TwinSnapshot:
    """The twin that is trained on: its parameters, the pre-compensation (N + 1, h, w), and the SLM.

    bits: of the SLM in whose grey levels layers are displayed; 0: phases are not quantised.
    phase_by_grey_rad: its phase response, if that was measured.
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
            {name: value.cpu().numpy().copy() for name, value in twin.state_dict().items()},
            calibrated.precompensation_rad.cpu().numpy().copy(),
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
    """All that a worker needs. bench_text: of the bench file; no device is opened.

    share: of each batch, if others train the same layer set too.
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


def train_layer_set(task: LayerSetTask) -> Iterator[Progress]:
    """Train a layer set from its state to its end; the last progress has the state after the last step."""
    config = parse_bench(task.bench_text, "bench file")
    session = TrainingSession.create(CalibratedBench(config), task.options, task.data_dir)
    session.checkpoint_seconds = REPORT_SECONDS
    session.pretrained = task.pretrained
    task.twin.load_into(session.calibrated)
    load_weights(session, task.layer_set, task.state.weights)
    session.position = Position(task.method, task.layer_set, task.state.step)
    session.in_progress = {OPTIMISER + k: value for k, value in task.state.optimiser.items()}
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


def load_weights(session: TrainingSession, layer_set: int, weights: Arrays) -> None:
    """Load a layer set's part of the unit's parameters.

    Args:
        session: Whose unit is changed.
        layer_set: Number of the layer set.
        weights: By name; a parameter that is not among them stays.
    """
    with torch.no_grad():
        for name, value in session.odu.named_parameters():
            if name in weights:
                value[layer_set] = torch.from_numpy(np.array(weights[name]))


def weights_of(session: TrainingSession, layer_set: int) -> Arrays:
    """Return a layer set's part of each of the unit's parameters."""
    named = session.odu.named_parameters()
    return {name: value.detach()[layer_set].cpu().numpy().copy() for name, value in named}


def _state(session: TrainingSession, layer_set: int, step: int) -> LayerSetState:
    optimiser = {
        name.removeprefix(OPTIMISER): np.array(value)
        for name, value in session.in_progress.items()
        if name.startswith(OPTIMISER)
    }
    return LayerSetState(step, weights_of(session, layer_set), optimiser)
