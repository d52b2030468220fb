"""What a training step reports of itself: errors on twin and bench, the twin's parameters, pictures."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from labdiff.events import Pictures, TrainingStep
from labdiff.generation.denoise import session_range_baselines
from labdiff.metrics.noise_error import FIRST_SCORED_T, noise_mse
from labdiff.session.device import CPU
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch
from labdiff.training.forward import ForwardResult, TwinForward
from labdiff.training.methods import Method, step_counts
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.submitted_batch import SubmittedBatch
from labdiff.training.twin_refinement import RefinementResult

PICTURE_SECONDS = 0.25
"""Time between two steps that report pictures."""


class StepReport:
    """Makes the event of a training step."""

    def __init__(self, session: TrainingSession, forward: TwinForward, method: Method) -> None:
        self._session, self._forward = session, forward
        self._method: Method = method
        self._steps = step_counts(session.options, method)
        self._pictures_s = time.monotonic()
        self._baselines = session_range_baselines(session)

    def __call__(
        self,
        step: int,
        optimiser: LayerOptimiser,
        submitted: SubmittedBatch,
        result: ForwardResult,
        refinement: RefinementResult,
    ) -> TrainingStep:
        """Return the event of a step of the layer set, after the optimiser's step.

        Args:
            step: of the layer set.
            optimiser: of the layer set, which holds the gradient of the step.
            submitted: the batch.
            result: its forward pass.
            refinement: what was done to the twin.
        """
        session, forward, batch = self._session, self._forward, submitted.batch
        layer_set, on_bench = optimiser.layer_set, forward.on_bench
        with torch.no_grad():
            predicted = session.odu.decode(result.measured, batch.x_t, batch.abar, layer_set)
            by_twin = predicted
            if on_bench:
                by_twin = session.odu.decode(result.modelled, batch.x_t, batch.abar, layer_set)
        pace, baseline = submitted.pace, self._baselines[layer_set]
        return TrainingStep(
            method=self._method,
            step=sum(self._steps[:layer_set]) + step,
            total=sum(self._steps),
            layer_set=layer_set,
            twin_mse=_scored_mse(by_twin, batch),
            bench_mse=_scored_mse(predicted, batch) if on_bench else None,
            discrepancy=refinement.discrepancy if on_bench else None,
            noise_floor=refinement.noise_floor if on_bench else None,
            intensity_scale=refinement.intensity_scale if on_bench else None,
            intensity_offset=refinement.intensity_offset if on_bench else None,
            alignment=session.calibrated.twin.alignment() if on_bench else {},
            deviation=forward.deviation(),
            refined=refinement.refined,
            frames_per_s=None if pace is None else pace.frames_per_s,
            duty=None if pace is None else pace.duty,
            repeated=0 if pace is None else pace.repeated,
            pictures=self._pictures(submitted, result, predicted),
            first_t=baseline.first_t,
            end_t=baseline.end_t,
            wiener_mse=baseline.wiener_mse,
            identity_mse=baseline.identity_mse,
        )

    def _pictures(
        self, submitted: SubmittedBatch, result: ForwardResult, predicted: Tensor
    ) -> Pictures | None:
        """Return the pictures of the batch's first image, if the last ones are long ago."""
        now_s = time.monotonic()
        if now_s - self._pictures_s <= PICTURE_SECONDS:
            return None
        self._pictures_s = now_s
        inputs, _ = submitted.displayed
        return Pictures(
            noisy=submitted.batch.x_t[0].cpu().numpy().copy(),
            input_field=inputs[0].cpu().numpy().copy(),
            camera=result.measured[0].cpu().numpy().copy(),
            predicted_noise=predicted[0].cpu().numpy().copy(),
            true_noise=submitted.batch.noise[0].cpu().numpy().copy(),
        )


def _scored_mse(predicted: Tensor, batch: Batch) -> float:
    """Return the noise MSE over the batch's images with t >= 100, as scored; over all if there are none."""
    scored = batch.t >= FIRST_SCORED_T
    if scored.device != CPU:
        # Without asking how many there are: a GPU is waited for once, for the number itself.
        weight = torch.where(scored.any(), scored, torch.ones_like(scored)).to(predicted.dtype)
        each = (predicted - batch.noise).square().mean((1, 2))
        return float((each * weight).sum() / weight.sum())
    if not bool(scored.any()):
        scored = torch.ones_like(scored)
    return noise_mse(predicted[scored], batch.noise[scored])
