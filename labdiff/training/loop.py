"""The training loop, top to bottom in the order in which things happen.

The forward pass is `labdiff.training.forward`, the loss `labdiff.training.loss`, the optimiser
`labdiff.training.optimiser`.
"""

from __future__ import annotations

import torch

from labdiff.config.training import TrainingOptions
from labdiff.events import StageStarted
from labdiff.job import Job
from labdiff.session.checkpoint import checkpoint_due
from labdiff.session.device import CPU, chosen_device, device_description
from labdiff.session.plans import use_plan
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_queue import BatchQueue
from labdiff.training.batch_share import BatchShare
from labdiff.training.early_stopping import LayerCandidates
from labdiff.training.forward_choice import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.methods import ON_BENCH, STAGES, Method, step_counts
from labdiff.training.offset_matching import match_offsets
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.resume import ResumeState, checkpoint
from labdiff.training.step_report import StepReport
from labdiff.training.twin_steps import step_on_twin


def train(
    session: TrainingSession,
    method: Method,
    only: int | None = None,
    share: BatchShare | None = None,
) -> Job[None]:
    """Train every layer set on its own timesteps, from the session's position on.

    Pre-compensation stays on the SLM. A training on a twin leaves the bench alone. On the bench the next
    batch is measured while the gradient of this one is computed, if the options say `overlap`: its layers
    then lack the last step.

    Args:
        session: the unit, its images and its bench; its position moves.
        method: what the forward pass is, and whose gradient.
        only: this layer set alone, at which the position is.
        share: of every batch, if several processes train a layer set together.
    """
    device = device_of(session.options, method)
    if device == CPU:
        use_plan(session.calibrated.twin.field_shape, session.calibrated.twin.padded)
    with session.on(device):
        yield from _train(session, method, only, share)


def device_of(options: TrainingOptions, method: Method) -> torch.device:
    """Return the device that a method trains on: the options' one for the twin, the CPU on the bench.

    There the bench sets the pace, and what is done next is decided frame by frame.
    """
    return CPU if method in ON_BENCH else chosen_device(options.device)


def _train(
    session: TrainingSession, method: Method, only: int | None, share: BatchShare | None
) -> Job[None]:
    where = session.position
    plan = step_counts(session.options, method)
    where_computed = "" if session.device == CPU else f" on {device_description(session.device)}"
    yield StageStarted(STAGES[method] + where_computed, sum(plan))
    resumed = ResumeState(session)
    last_set = session.options.all_layer_sets - 1 if only is None else only

    with forward_of(session, method) as forward:
        resumed.load_forward(forward)
        report = StepReport(session, forward, method)
        overlap = session.options.overlap and forward.on_bench
        for layer_set in range(where.layer_set, last_set + 1):
            steps = plan[layer_set]
            optimiser = _optimiser(session, method, layer_set, steps)
            resumed.load_optimiser(optimiser)
            candidates = LayerCandidates(session, forward, method, layer_set)
            resumed.load_candidates(candidates)
            if where.step == 0:
                candidates.store(0, steps)
            if forward.on_bench and where.step == 0:
                match_offsets(session, forward, method, layer_set)
            batches = BatchQueue(session, forward, optimiser, method, share)
            if where.step < steps:
                batches.submit(where.step, resumed.displayed())

            for step in range(where.step, steps):
                submitted, last = batches.collect(), step + 1 == steps
                if overlap and not last:
                    # Before this one is measured, so that the bench measures without a pause.
                    batches.submit(step + 1)

                result = forward(submitted)
                loss = training_loss(session, submitted, result, layer_set)
                optimiser.backward(loss, share)
                refinement = forward.refine(submitted, result)
                optimiser.step(trusted=refinement.trusted)
                if method == "online" and refinement.trusted:
                    step_on_twin(session, optimiser, submitted, step)
                batches.encode_again()

                if refinement.change_point or refinement.correction_due:
                    batches.discard()
                if refinement.change_point:
                    yield from forward.realign()
                if refinement.correction_due:
                    forward.correct()
                if not batches and not last:
                    batches.submit(step + 1)
                candidates.store(step + 1, steps)
                where.layer_set, where.step = layer_set, step + 1
                yield report(step, optimiser, submitted, result, refinement)
                if checkpoint_due(session):
                    yield checkpoint(session, forward, optimiser, batches.ahead, candidates)
            candidates.keep_best()
            where.layer_set, where.step = layer_set + 1, 0
    session.in_progress.clear()


def _optimiser(
    session: TrainingSession, method: Method, layer_set: int, steps: int
) -> LayerOptimiser:
    """Return a layer set's optimiser; on a twin the layers start from those of the set with less noise."""
    options, where = session.options, session.position
    on_twin = method in ("offline", "calibrated")  # "further" goes on with what was trained there
    rate = options.learning_rate if on_twin else options.online_learning_rate
    if on_twin and options.warm_start and not session.pretrained and layer_set > 0:
        rate *= 0.5
        if where.step == 0 and steps > 0:
            session.odu.start_from(layer_set, layer_set - 1)
    optimiser = LayerOptimiser(session.odu, layer_set, options, rate, steps)
    optimiser.skip(where.step)
    return optimiser
