"""Where the light of a training step comes from, and its gradient: in this the methods differ.

    offline, calibrated   light and gradient of the twin
    physics_aware         the bench's light, the gradient of a twin that stays as it is (Wright 2022)
    online                the same, and the twin is refined with every batch (the paper, algorithm 1)

The bench's value with the twin's gradient is one line: modelled + (measured - modelled).detach().
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from labdiff.bench.acquisition_thread import AcquisitionThread, Pace, PendingBatch
from labdiff.bench.measurement import Measurement
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.job import Job
from labdiff.session.training_session import TrainingSession
from labdiff.training.methods import Method
from labdiff.training.realignment import recover
from labdiff.training.twin_refinement import RefinementResult, TwinRefiner
from twin.discrepancy import discrepancy


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """What came out for a batch, each (B, h, w).

    intensity: with a gradient, for the loss. measured: its value. modelled: the twin's.
    discrepancy: D of the batch between the two; None on a twin. noise_floor: a perfect twin's.
    """

    intensity: Tensor
    measured: Tensor
    modelled: Tensor
    discrepancy: float | None = None
    noise_floor: float | None = None


class SubmittedBatch:
    """A batch on its way: inputs and layers as they stand on the modulators, and the bench's answer."""

    def __init__(self, inputs: Tensor, layers: Tensor, pending: PendingBatch | None = None) -> None:
        self.inputs, self.layers, self._pending = inputs, layers, pending
        self._frames: Measurement | None = None

    def wait(self) -> None:
        """Until the bench has answered; at once on a twin. Raises what the bench raised."""
        if self._pending is not None and self._frames is None:
            self._frames = self._pending.result()

    @property
    def before(self) -> BenchSnapshot | None:
        """The bench's state when it began with the batch; None if it has none, and on a twin."""
        return None if self._pending is None else self._pending.before

    @property
    def pace(self) -> Pace | None:
        """How well the batch used the bench; None on a twin."""
        return None if self._pending is None else self._pending.pace

    @property
    def measured(self) -> Tensor:
        """What the bench saw, (B, h, w)."""
        return torch.from_numpy(self._answer.intensity)

    @property
    def noise_floor(self) -> Tensor:
        """The discrepancy (B,) that the frames' own noise makes."""
        return torch.from_numpy(self._answer.noise_floor)

    @property
    def _answer(self) -> Measurement:
        assert self._frames is not None, "wait first"
        return self._frames


class TwinForward:
    """Light and gradient of the twin: the methods "offline" and "calibrated"."""

    on_bench = False

    def __init__(self, session: TrainingSession) -> None:
        self.session, self.twin = session, session.calibrated.twin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def send(self, inputs: Tensor, layers: Tensor) -> SubmittedBatch:
        """Nothing is on its way to a bench."""
        return SubmittedBatch(inputs.detach(), layers.detach())

    def light(self, sent: SubmittedBatch, inputs: Tensor, layers: Tensor) -> ForwardResult:
        """The answer to inputs and layers, whose gradient is wanted."""
        modelled = self.twin(inputs, layers)
        return ForwardResult(modelled, modelled.detach(), modelled.detach())

    def refine(self, sent: SubmittedBatch, light: ForwardResult) -> RefinementResult | None:
        """The twin stays as it is."""
        return None

    def recover(self) -> Job[None]:
        """What is to be done when the bench has suddenly changed."""
        yield from ()

    def deviation(self) -> dict[str, float]:
        """One standard deviation of each of the twin's parameters, as far as it is known."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """All that it remembers beside the twin's parameters."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""


class BenchForward(TwinForward):
    """The bench's light with the twin's gradient: the method "physics_aware"."""

    on_bench = True

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        self.worker = AcquisitionThread(session.calibrated.bench)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.worker.close()

    def send(self, inputs: Tensor, layers: Tensor) -> SubmittedBatch:
        """Let the bench measure a batch while the computer does something else."""
        inputs, layers = inputs.detach(), layers.detach()
        return SubmittedBatch(inputs, layers, self.worker.submit(inputs.numpy(), layers.numpy()))

    def light(self, sent: SubmittedBatch, inputs: Tensor, layers: Tensor) -> ForwardResult:
        """The bench's value, the twin's gradient."""
        modelled = self.twin(inputs, layers)
        intensity = modelled + (sent.measured - modelled).detach()
        d = float(discrepancy(sent.measured, modelled.detach()).mean())
        return ForwardResult(
            intensity, sent.measured, modelled.detach(), d, float(sent.noise_floor.mean())
        )


class RefinedForward(BenchForward):
    """The same with a twin that learns from what the bench answers: the method "online"."""

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        self.refinement = TwinRefiner(session.calibrated.twin, session.calibrated.covariance)

    def refine(self, sent: SubmittedBatch, light: ForwardResult) -> RefinementResult:
        """The twin looks at the batch, and what has drifted is taken off the bench again."""
        session = self.session
        seen = (sent.inputs, sent.layers, sent.measured, sent.noise_floor)
        assert sent.pace is not None
        # The bench's clock may be ahead by now: the next batch is being measured.
        look = self.refinement.look(*seen, sent.pace.ended_s)
        if session.calibrated.aligned:
            session.calibrated.precompensate()
        return look

    def recover(self) -> Job[None]:
        """As `labdiff.training.realignment` does it; no batch is on its way meanwhile."""
        yield from recover(self.session, self.refinement)

    def deviation(self) -> dict[str, float]:
        """As the refinement has it."""
        return self.refinement.deviation()

    def state(self) -> dict[str, Tensor]:
        """As the refinement has it."""
        return self.refinement.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.refinement.load_state(state)


def light_source(session: TrainingSession, method: Method) -> TwinForward:
    """The light of a method; a context manager, whose end leaves no batch on its way."""
    match method:
        case "physics_aware":
            return BenchForward(session)
        case "online":
            return RefinedForward(session)
        case _:
            return TwinForward(session)
