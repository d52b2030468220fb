"""The forward pass of a training step and its gradient: in this the methods differ.

    offline, calibrated, further
                          intensity and gradient of the twin
    physics_aware         the bench's intensity, the gradient of a fixed twin (Wright et al. 2022)
    online                the same, and the twin is refined with every batch (the paper, algorithm 1)
    spsa, policy_gradient by light alone: `labdiff.training.model_free`

The bench's value with the twin's gradient is one line: modelled + (measured - modelled).detach().
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from labdiff.bench.acquisition_thread import AcquisitionThread, PendingBatch
from labdiff.calibrations.registration_correction import take_registration_correction
from labdiff.job import Job
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch
from labdiff.training.free_form import FreeFormPart
from labdiff.training.probe_choice import choose_probes
from labdiff.training.realignment import realign
from labdiff.training.submitted_batch import Fields, SubmittedBatch
from labdiff.training.twin_refinement import RefinementResult, TwinRefiner
from labdiff.training.twin_window import TwinWindow
from twin.discrepancy import discrepancy
from twin.drift_tracking import TRACKED
from twin.frame_light import frame_light
from twin.parameters import free_in

PROBE_SEED = 20_000
"""Beginning of the seeds of probe patterns."""
EXPECTED_DISCREPANCY = 0.04
"""Discrepancy that is expected of a twin before the first comparison."""
PROBES = "probes"
"""Name of the number of probes and of the last discrepancy in a checkpoint."""


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """Intensities of a batch on the output plane, each (B, h, w).

    intensity: with a gradient, for the loss. measured: its value. modelled: the twin's. term: added to the
    loss, by a method whose gradient of the layers does not come from the intensity; None for nothing.
    """

    intensity: Tensor
    measured: Tensor
    modelled: Tensor
    term: Tensor | None = None


class TwinForward:
    """Intensity and gradient of the twin: the methods "offline", "calibrated" and "further".

    A context manager, whose end leaves no batch in progress.
    """

    on_bench = False

    def __init__(self, session: TrainingSession) -> None:
        self.odu, self.calibrated = session.odu, session.calibrated

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def encode(self, batch: Batch, layer_set: int, phases: Tensor | None = None) -> Fields:
        """Return inputs and layers of a batch, with gradient.

        Args:
            batch: Noisy images and their prompts.
            layer_set: Number of the layer set.
            phases: (N, h, w), in place of the layer set's own.
        """
        return self.odu.encode(batch.x_t, layer_set, phases, batch.prompts)

    def submit(
        self,
        batch: Batch,
        layer_set: int,
        phases: Tensor | None = None,
        displayed: Fields | None = None,
        learning: bool = False,
    ) -> SubmittedBatch:
        """Encode a batch; a bench measures it while the computer does something else.

        Args:
            batch: the images.
            layer_set: of their timesteps.
            phases: (N, h, w), rad; the layer set's own if None.
            displayed: what a resumed run had displayed; encoded and displayed now if None.
            learning: it is a step's batch, which may be measured together with probe frames.
        """
        encoded = self.encode(batch, layer_set, phases)
        if displayed is None:
            display = self._displayed_to_learn if learning else self.calibrated.displayed
            displayed = display(*(part.detach() for part in encoded))
        pending = self._measure_later(displayed)
        return SubmittedBatch(batch, encoded, displayed, pending, layer_set if learning else None)

    def _displayed_to_learn(self, inputs: Tensor, layers: Tensor) -> Fields:
        """Return what is displayed for a step's batch."""
        return self._with_probes(self.calibrated.displayed(inputs, layers))

    def _with_probes(self, displayed: Fields) -> Fields:
        """Return what is displayed with the probe patterns that are to be measured with it; here none."""
        return displayed

    def _measure_later(self, displayed: Fields) -> PendingBatch | None:
        return None

    def __call__(self, submitted: SubmittedBatch) -> ForwardResult:
        """Return the intensity of a submitted batch, with the gradient of what encodes it."""
        modelled = self.calibrated.twin(*submitted.straight_through())
        return ForwardResult(modelled, modelled.detach(), modelled.detach())

    def refine(self, submitted: SubmittedBatch, result: ForwardResult) -> RefinementResult:
        """Leave the twin as it is."""
        return RefinementResult(math.nan, math.nan)

    def correct(self) -> None:
        """Give the bench what the twin has found of registration and unit of intensity; here nothing."""

    def realign(self) -> Job[None]:
        """Find out how the bench has changed; a twin never does."""
        yield from ()

    def deviation(self) -> dict[str, float]:
        """Return one standard deviation of each of the twin's parameters, as far as it is known."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs beside the twin's parameters."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Resume from what `state` gave."""


class BenchForward(TwinForward):
    """The bench's intensity with the twin's gradient: the method "physics_aware"."""

    on_bench = True

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        self._thread = AcquisitionThread(session.calibrated.bench)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.close()

    def _measure_later(self, displayed: Fields) -> PendingBatch:
        inputs, layers = displayed
        return self._thread.submit(inputs.cpu().numpy(), layers.cpu().numpy())

    def __call__(self, submitted: SubmittedBatch) -> ForwardResult:
        """Return the bench's value with the twin's gradient; waits for the bench."""
        measured = submitted.measured
        modelled = self.calibrated.twin(*submitted.straight_through())
        intensity = modelled + (measured - modelled).detach()
        if submitted.valid is not None:
            # A saturated pixel reads the same whatever the layers do: it has no gradient.
            intensity = torch.where(submitted.valid, intensity, measured)
        return ForwardResult(intensity, measured, modelled.detach())

    def refine(self, submitted: SubmittedBatch, result: ForwardResult) -> RefinementResult:
        """Leave the twin as it is, and return how well it predicts the bench."""
        d = float(discrepancy(result.measured, result.modelled, submitted.valid).mean())
        light = frame_light(result.measured, result.modelled, submitted.valid)
        return RefinementResult(
            d,
            float(submitted.noise_floor.mean()),
            intensity_scale=float(light.scale.mean()),
            intensity_offset=float(light.offset.mean()),
        )


class RefinedForward(BenchForward):
    """The same with a twin that is refined by what the bench measures: the method "online"."""

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        options, calibrated = session.options, self.calibrated
        self._probe_frames, self._seed = options.probe_frames, options.seed
        searching = calibrated.covariance is None
        every = options.refined == "all" or searching
        free = free_in("finest") if every else frozenset(TRACKED)
        free_form = None
        if options.free_form_frames:
            free_form = FreeFormPart(calibrated.twin, options.free_form_frames)
        window = None
        # A filter follows what drifts; a fit of it tells at most whether a free-form part is needed.
        if options.fit_frames and (every or free_form is not None):
            window = TwinWindow(options.fit_frames, searching, free)
        self._refiner = TwinRefiner(
            calibrated.twin, calibrated.covariance, free, window=window, free_form=free_form
        )
        self._probed, self._discrepancy = 0, EXPECTED_DISCREPANCY

    def _with_probes(self, displayed: Fields) -> Fields:
        if not (self._probe_frames and self._refiner.wants_probes):
            return displayed
        inputs, layers = displayed
        seed = self._seed + PROBE_SEED + self._probed
        self._probed += 1
        covariance, d = self._refiner.covariance, self._discrepancy
        probes = choose_probes(self.calibrated, covariance, d, self._probe_frames, seed)
        own = layers if layers.dim() == 4 else layers.expand(len(inputs), -1, -1, -1)
        return torch.cat([inputs, probes[0]]), torch.cat([own, probes[1]])

    def refine(self, submitted: SubmittedBatch, result: ForwardResult) -> RefinementResult:
        """Refine the twin by a batch, and pre-compensate what has drifted."""
        # The bench's clock may be ahead by now: the next batch is being measured.
        ended_s = submitted.pending.pace.ended_s
        inputs, layers = submitted.displayed
        refinement = self._refiner.refine(
            inputs,
            layers,
            submitted.measured,
            submitted.noise_floor,
            ended_s,
            submitted.valid,
            submitted.probes,
        )
        self._discrepancy = refinement.discrepancy
        if self.calibrated.aligned:
            self.calibrated.precompensate()
        return refinement

    def correct(self) -> None:
        """Give the bench what the twin has found of registration and unit of intensity.

        No batch may be in progress: what is being measured would be read by another registration.
        """
        calibrated = self.calibrated
        calibrated.bench.use_registration(take_registration_correction(calibrated))
        calibrated.bench.counts_per_ms_per_unit *= self._refiner.intensity_scale
        if calibrated.aligned:
            calibrated.precompensate()
        self._refiner.corrected()

    def realign(self) -> Job[None]:
        """Find out how the bench has changed; no batch may be in progress."""
        yield from realign(self.calibrated, self._refiner)

    def deviation(self) -> dict[str, float]:
        """Return one standard deviation of each of the twin's parameters."""
        return self._refiner.deviation()

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs beside the twin's parameters."""
        own = torch.tensor([self._probed, self._discrepancy], dtype=torch.float64)
        return {PROBES: own, **self._refiner.state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Resume from what `state` gave."""
        if PROBES in state:  # run files of former versions have none
            probed, self._discrepancy = state[PROBES].tolist()
            self._probed = int(probed)
        self._refiner.load_state(state)
