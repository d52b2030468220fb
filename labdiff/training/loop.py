"""The training loop, top to bottom in the order in which things happen.

Where the light comes from is `labdiff.training.forward`, what learns from it `labdiff.training.optimiser`.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from labdiff.events import Pictures, StageStarted, TrainingStep
from labdiff.job import Job
from labdiff.metrics.noise_error import FIRST_SCORED_T, noise_mse
from labdiff.session.checkpoint import checkpoint_due
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward import ForwardResult, SubmittedBatch, TwinForward, light_source
from labdiff.training.methods import STAGES, Method, step_counts
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.resume import ResumeState, checkpoint
from labdiff.training.twin_refinement import RefinementResult

PICTURE_SECONDS = 0.25
MATCHED_BATCHES = 2


def train(
    session: TrainingSession,
    method: Method,
    only: int | None = None,
    share: BatchShare | None = None,
) -> Job[None]:
    """Train every layer set on its own timesteps, from where the session's position is.

    only: this layer set alone, at which the position is. share: of every batch, if several processes
    train a layer set together.

    Pre-compensation stays on the SLM. On a twin the bench is left alone. On the bench the next batch is
    measured while the gradient of this one is computed, if the options say `overlap`: its layers then
    lack the last step.
    """
    options, odu, where = session.options, session.odu, session.position
    plan = step_counts(options, method)
    yield StageStarted(STAGES[method], sum(plan))
    drawn_s = time.monotonic()
    before = ResumeState(session)

    with light_source(session, method) as source:
        before.source(source)
        last_set = options.layer_sets - 1 if only is None else only
        for layer_set in range(where.layer_set, last_set + 1):
            steps = plan[layer_set]
            learner = _learner(session, method, layer_set, steps)
            before.learner(learner)
            if source.on_bench and where.step == 0:
                _match(session, source, method, layer_set)
            ahead = options.overlap and source.on_bench

            sent = before.send(source)
            if sent is None and where.step < steps:
                sent = _send(session, source, method, layer_set, where.step, learner.phases, share)
            for step in range(where.step, steps):
                assert sent is not None
                this, sent = sent, None
                last = step + 1 == steps
                if ahead and not last:
                    # Before this one is there, so that the bench goes on without a pause.
                    sent = _send(
                        session, source, method, layer_set, step + 1, learner.phases, share
                    )
                this.wait()

                batch = draw_batch(session, method, layer_set, step, share)
                abar = session.schedule.alphas_bar[batch.t]
                light = source.light(this, *_as_sent(session, this, batch, layer_set, learner))
                images = (batch.x_t, abar, batch.clean, batch.noise)
                learner.backward(odu.loss(light.intensity, *images, layer_set), share)
                look = source.refine(this, light)
                learner.step(trusted=look is None or look.trusted)

                if look is not None and look.sudden:
                    if sent is not None:
                        sent.wait()  # of a bench that is no longer known: measured again below
                        sent = None
                    yield from source.recover()
                if sent is None and not last:
                    sent = _send(
                        session, source, method, layer_set, step + 1, learner.phases, share
                    )
                where.layer_set, where.step = layer_set, step + 1
                now_s = time.monotonic()
                draw = now_s - drawn_s > PICTURE_SECONDS
                drawn_s = now_s if draw else drawn_s
                number = sum(plan[:layer_set]) + step
                told = (session, source, method, number, sum(plan), batch, this, light, look, draw)
                yield _told(*told)
                if checkpoint_due(session):
                    yield checkpoint(session, source, learner, sent)
            where.layer_set, where.step = layer_set + 1, 0
    session.in_progress.clear()


def _learner(
    session: TrainingSession, method: Method, layer_set: int, steps: int
) -> LayerOptimiser:
    """What trains a layer set; on a twin it starts from its neighbour with less noise."""
    options, where = session.options, session.position
    on_twin = method in ("offline", "calibrated")
    rate = options.learning_rate if on_twin else options.online_learning_rate
    if on_twin and options.warm_start and not session.pretrained and layer_set > 0:
        rate *= 0.5
        if where.step == 0 and steps > 0:
            session.odu.start_from(layer_set, layer_set - 1)
    learner = LayerOptimiser(session.odu, layer_set, options, rate, steps)
    learner.skip(where.step)
    return learner


def _send(
    session: TrainingSession,
    source: TwinForward,
    method: Method,
    layer_set: int,
    step: int,
    phases: Tensor,
    share: BatchShare | None,
) -> SubmittedBatch:
    batch = draw_batch(session, method, layer_set, step, share)
    with torch.no_grad():
        shown = session.odu.written(batch.x_t, layer_set, phases, batch.prompts)
        return source.send(*session.calibrated.displayed(*shown))


def _as_sent(
    session: TrainingSession,
    sent: SubmittedBatch,
    batch: Batch,
    layer_set: int,
    learner: LayerOptimiser,
) -> tuple[Tensor, Tensor]:
    """Inputs and layers with the values that stood on the modulators and today's gradient.

    Layers may have moved since; what was written is linear in them, so that the gradient is the same.
    """
    now = session.odu.written(batch.x_t, layer_set, learner.phases, batch.prompts)
    inputs, layers = (
        value + (shown - value).detach()
        for value, shown in zip(now, (sent.inputs, sent.layers), strict=True)
    )
    return inputs, layers


def _match(session: TrainingSession, source: TwinForward, method: Method, layer_set: int) -> None:
    """Cells of the bench against cells of the twin, for inputs that training does not meet."""
    odu = session.odu
    with torch.no_grad():
        batches = [draw_batch(session, method, layer_set, -1 - i) for i in range(MATCHED_BATCHES)]
        x_t = torch.cat([batch.x_t for batch in batches])
        asked = [batch.prompts for batch in batches if batch.prompts is not None]
        prompts = torch.cat(asked) if asked else None
        inputs, layers = session.calibrated.displayed(*odu.written(x_t, layer_set, prompts=prompts))
        modelled = session.calibrated.twin(inputs, layers)
    sent = source.send(inputs, layers)
    sent.wait()
    odu.match(sent.measured, modelled, layer_set)


def _told(
    session: TrainingSession,
    source: TwinForward,
    method: Method,
    step: int,
    total: int,
    batch: Batch,
    sent: SubmittedBatch,
    light: ForwardResult,
    look: RefinementResult | None,
    draw: bool,
) -> TrainingStep:
    """What a step says of itself."""
    layer_set = session.position.layer_set
    abar = session.schedule.alphas_bar[batch.t]
    pace = sent.pace
    with torch.no_grad():
        predicted = session.odu.decode(light.measured, batch.x_t, abar, layer_set)
        on_twin = session.odu.decode(light.modelled, batch.x_t, abar, layer_set)
    return TrainingStep(
        method=method,
        step=step,
        total=total,
        layer_set=layer_set,
        twin_mse=_scored_mse(on_twin, batch),
        bench_mse=_scored_mse(predicted, batch) if source.on_bench else None,
        discrepancy=light.discrepancy if look is None else look.discrepancy,
        noise_floor=light.noise_floor if look is None else look.noise_floor,
        alignment=session.calibrated.twin.alignment() if source.on_bench else {},
        deviation=source.deviation(),
        refined=look is not None and look.refined,
        frames_per_s=None if pace is None else pace.frames_per_s,
        duty=None if pace is None else pace.duty,
        repeated=0 if pace is None else pace.repeated,
        pictures=_pictures(batch, sent, light, predicted) if draw else None,
    )


def _scored_mse(predicted: Tensor, batch: Batch) -> float:
    """Noise MSE over the batch's images with t >= 100, as it is scored; over all if there are none."""
    scored = batch.t >= FIRST_SCORED_T
    if not bool(scored.any()):
        scored = torch.ones_like(scored)
    return noise_mse(predicted[scored], batch.noise[scored])


def _pictures(
    batch: Batch, sent: SubmittedBatch, light: ForwardResult, predicted: Tensor
) -> Pictures:
    return Pictures(
        noisy=batch.x_t[0].numpy().copy(),
        input_field=sent.inputs[0].numpy().copy(),
        camera=light.measured[0].numpy().copy(),
        predicted_noise=predicted[0].numpy().copy(),
        true_noise=batch.noise[0].numpy().copy(),
    )
