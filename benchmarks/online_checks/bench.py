"""Training on calibrated mock benches: one calibration, any number of benches that stand where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from benchmarks.calibrated import Calibrated, opened
from labdiff.config.bench import BenchConfig
from labdiff.config.training import TrainingOptions
from labdiff.metrics.noise_error import FIRST_SCORED_T
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward import RefinedForward, TwinForward
from labdiff.training.forward_choice import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.methods import Method
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.twin_refinement import RefinementResult
from labdiff.training.twin_steps import step_on_twin

LAYER_SET = 0
"""The layer set that learns, of five: for the least noise, and most disturbed by a drifting angle."""
BATCH = 8
DRIFTS = ("beam_urad", "mirror_urad", "power", "wavelength_nm", "temperature_k")


def options(seed: int, **changes: Any) -> TrainingOptions:
    """Return the options of all parts: five layer sets, of which one learns, from rest."""
    return TrainingOptions(seed=seed, **{"batch": BATCH, **changes})


def still(config: BenchConfig) -> BenchConfig:
    """Return the same bench without drift."""
    drift = config.mock.drift.model_copy(update=dict.fromkeys(DRIFTS, 0.0))
    return config.model_copy(update={"mock": config.mock.model_copy(update={"drift": drift})})


def noiseless(config: BenchConfig) -> BenchConfig:
    """Return the same bench without what varies from frame to frame."""
    mock = config.mock
    camera = mock.camera.model_copy(update={"shot_noise": False, "read_noise_electrons": 0.0})
    slm = mock.slm.model_copy(update={"flicker": 0.0})
    return config.model_copy(
        update={"mock": mock.model_copy(update={"camera": camera, "slm": slm})}
    )


@contextmanager
def opened_session(
    known: Calibrated, config: BenchConfig | None = None, batch: int = BATCH, **changes: Any
) -> Iterator[TrainingSession]:
    """Open a bench with its calibration in use and an untrained unit for it; the laser is on.

    Args:
        known: What was measured of the bench.
        config: Another bench file's content, as one without drift.
        batch: Images a step.
        changes: Further options.
    """
    with opened(known, config) as calibrated:
        yield TrainingSession.create(calibrated, options(known.seed, batch=batch, **changes))


class Trial:
    """A layer set that learns by one method; the loop's own parts, on batches that all methods share.

    Args:
        session: On an open bench.
        method: Where the prediction comes from.
        steps: How many steps the schedule of the rate is made for.
        rate: Radians a step at first.
    """

    def __init__(self, session: TrainingSession, method: Method, steps: int, rate: float) -> None:
        self.session, self.method = session, method
        self.forward: TwinForward = forward_of(session, method)
        self.learner = LayerOptimiser(session.odu, LAYER_SET, session.options, rate, steps)
        self.step_number = 0

    def step(self) -> tuple[float, RefinementResult]:
        """Make one step; return the noise MSE of its batch, and what was done to the twin."""
        batch = draw_batch(self.session, "online", LAYER_SET, self.step_number)
        self.step_number += 1
        forward = self.forward
        submitted = forward.submit(batch, LAYER_SET, self.learner.phases, learning=True)
        result = forward(submitted)
        self.learner.backward(training_loss(self.session, submitted, result, LAYER_SET))
        refinement = forward.refine(submitted, result)
        self.learner.step(trusted=refinement.trusted)
        if self.method == "online" and refinement.trusted:
            step_on_twin(self.session, self.learner, submitted, self.step_number - 1)
        if refinement.correction_due:
            forward.correct()
        return self._mse(result.measured, batch), refinement

    def score(self, batches: int) -> float:
        """Return the noise MSE of held-out batches by the method's forward pass; the twin is refined."""
        forward = self.forward
        errors = []
        for number in range(batches):
            batch = draw_batch(self.session, "online", LAYER_SET, -1 - number)
            with torch.no_grad():
                submitted = forward.submit(batch, LAYER_SET)
                result = forward(submitted)
            errors.append(self._mse(result.measured, batch))
            if forward.refine(submitted, result).correction_due:
                forward.correct()
        return sum(errors) / len(errors)

    def _mse(self, measured: Tensor, batch: Batch) -> float:
        session = self.session
        with torch.no_grad():
            found = session.odu.decode(measured, batch.x_t, batch.abar, LAYER_SET)
            scored = batch.t >= FIRST_SCORED_T
            error = (found - batch.noise)[scored] if bool(scored.any()) else found - batch.noise
            return float(error.square().mean())

    @property
    def refined(self) -> RefinedForward:
        """The forward pass, of the method "online"."""
        assert isinstance(self.forward, RefinedForward)
        return self.forward

    def close(self) -> None:
        """Leave no batch in progress."""
        self.forward.__exit__(None, None, None)
