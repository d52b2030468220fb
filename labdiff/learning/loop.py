"""The training loop, top to bottom in the order in which things happen.

Four methods differ in where the light comes from and in whether the twin learns too:

    offline         light and gradient of the twin as the data sheet has it
    calibrated      light and gradient of the twin that calibration has made of it
    physics_aware   the bench's light, the gradient of a twin that stays as it is (Wright 2022)
    online          the bench's light, the gradient of a twin that is refined with every batch

Online learning in one line: modelled + (measured - modelled).detach(), the value from the bench, the
gradient from the twin.
"""

from __future__ import annotations

import math
import time
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from labdiff.config import TrainingOptions
from labdiff.events import Pictures, StageStarted, TrainingStep
from labdiff.metrics import FIRST_SCORED_T, noise_mse
from labdiff.prompts import prompts_for_training
from labdiff.runner import Job
from labdiff.session import Session
from twin.discrepancy import discrepancy
from twin.odu import REST_RAD
from twin.refine import OnlineRefiner

Method = Literal["offline", "calibrated", "physics_aware", "online"]
STAGES: dict[Method, str] = {
    "offline": "learning on the data sheet's twin",
    "calibrated": "learning on the calibrated twin",
    "physics_aware": "learning on the bench, twin fixed",
    "online": "online learning",
}
PICTURE_SECONDS = 0.25
CHECKPOINT_SECONDS = 5.0
RATE_OF_ENDS = 0.2
"""Learning rate of what encodes and decodes, over that of the phases."""
MATCHED_BATCHES = 2
FRAMES_FOLLOWED = 4


def train(session: Session, method: Method) -> Job[None]:
    """Train every layer set on its own timesteps, from where the session's position is.

    Pre-compensation stays on the SLM. On a twin the bench is left alone.
    """
    options, odu, twin, where = session.options, session.odu, session.twin, session.position
    twin_only = method in ("offline", "calibrated")
    first_rate = options.learning_rate if twin_only else options.online_learning_rate
    plan = step_counts(options, method)
    yield StageStarted(STAGES[method], sum(plan))
    refiner = OnlineRefiner(twin) if method == "online" else None
    drawn_s = kept_s = time.monotonic()

    for layer_set in range(where.layer_set, options.layer_sets):
        steps = plan[layer_set]
        warm = options.warm_start and not session.pretrained
        from_neighbour = twin_only and warm and layer_set > 0
        rate = 0.5 * first_rate if from_neighbour else first_rate
        if from_neighbour and where.step == 0 and steps > 0:
            odu.start_from(layer_set, layer_set - 1)
        # The pull: without it phases wander over many turns, and each fall from 2 pi to 0 scatters light
        # at angles that a twin with one sample a pixel cannot follow.
        deviation = (odu.phases.detach()[layer_set] - REST_RAD).requires_grad_()
        ends = [odu.encode_scale, odu.data_gain, odu.decode_scale, odu.decode_offset]
        optimiser = torch.optim.AdamW(
            [
                {"params": [deviation], "lr": rate, "weight_decay": options.phase_pull},
                {"params": ends, "lr": RATE_OF_ENDS * rate, "weight_decay": 0.0},
            ],
            # A short memory: within some hundred steps the gradients shrink by orders of magnitude.
            betas=(0.9, 0.9),
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
        for _ in range(where.step):
            optimiser.step()  # without gradients: only the schedule moves on to where it was
            schedule.step()

        if not twin_only and where.step == 0:
            _match(session, method, layer_set)
        for step in range(where.step, steps):
            x_t, noise, clean, t, prompts = draw_batch(session, method, layer_set, step)
            abar = session.schedule.alphas_bar[t]
            phases = deviation + REST_RAD
            inputs, layers = session.written(*odu.written(x_t, layer_set, phases, prompts))
            modelled = twin(inputs, layers)
            measured = modelled.detach() if twin_only else session.measure(inputs, layers)
            intensity = modelled + (measured - modelled).detach()

            optimiser.zero_grad()
            torch.autograd.backward(odu.loss(intensity, x_t, abar, clean, noise, layer_set))
            optimiser.step()
            schedule.step()
            if refiner is not None:
                refiner.step(inputs.detach(), layers.detach(), measured)
                shown = session.first(FRAMES_FOLLOWED, inputs.detach(), layers.detach())
                session.follow(*shown, measured[:FRAMES_FOLLOWED])

            with torch.no_grad():
                odu.phases[layer_set] = deviation + REST_RAD
                predicted = odu.decode(measured, x_t, abar, layer_set)
                on_twin = odu.decode(modelled, x_t, abar, layer_set)
            where.layer_set, where.step = layer_set, step + 1
            now_s = time.monotonic()
            pictures = None
            if now_s - drawn_s > PICTURE_SECONDS:
                drawn_s = now_s
                pictures = _pictures(x_t, inputs, measured, predicted, noise)
            yield TrainingStep(
                method=method,
                step=sum(plan[:layer_set]) + step,
                total=sum(plan),
                layer_set=layer_set,
                twin_mse=_scored_mse(on_twin, noise, t),
                bench_mse=None if twin_only else _scored_mse(predicted, noise, t),
                discrepancy=None
                if twin_only
                else float(discrepancy(measured, modelled.detach()).mean()),
                alignment={} if twin_only else twin.alignment(),
                pictures=pictures,
            )
            if now_s - kept_s > CHECKPOINT_SECONDS:
                kept_s = now_s
                yield session.checkpoint()
        where.layer_set, where.step = layer_set + 1, 0


def _match(session: Session, method: Method, layer_set: int) -> None:
    """Cells of the bench against cells of the twin, for inputs that training does not meet."""
    odu = session.odu
    with torch.no_grad():
        batches = [draw_batch(session, method, layer_set, -1 - i) for i in range(MATCHED_BATCHES)]
        x_t = torch.cat([batch.x_t for batch in batches])
        asked = [batch.prompts for batch in batches if batch.prompts is not None]
        prompts = torch.cat(asked) if asked else None
        inputs, layers = session.written(*odu.written(x_t, layer_set, prompts=prompts))
        modelled = session.twin(inputs, layers)
    odu.match(session.measure(inputs, layers), modelled, layer_set)


def step_counts(options: TrainingOptions, method: Method) -> list[int]:
    """Steps of each layer set.

    The first one, for the least noise, has the most to learn. On a twin the next ones start from the one
    before, since neighbouring timestep ranges need similar light; started anew, those for much noise
    never find that light can tell them anything, and predict the mean image.
    """
    first = {"offline": options.offline_steps, "calibrated": options.calibrated_steps}.get(
        method, options.online_steps
    )
    further = math.ceil(options.further_steps * first)
    return [first] + [further] * (options.layer_sets - 1)


class Batch(NamedTuple):
    """Noisy images, noise, clean images (B, H, W), t (B,), and prompts (B,) if the class is written."""

    x_t: Tensor
    noise: Tensor
    clean: Tensor
    t: Tensor
    prompts: Tensor | None


def draw_batch(session: Session, method: Method, layer_set: int, step: int) -> Batch:
    """The images of one step.

    Seeded by the step itself, so that a resumed run meets the batches that it would have met.
    """
    options = session.options
    stream = {"calibrated": 0, "offline": 1, "physics_aware": 2, "online": 3}[method]
    seed = ((options.seed * 4 + stream) * options.layer_sets + layer_set) * 1_000_003 + step
    rng = torch.Generator().manual_seed(seed % 2**63)
    first, end = session.policy.bounds(layer_set)
    images = session.images
    drawn = torch.randint(len(images.train), (options.batch,), generator=rng)
    clean = images.train[drawn]
    t = torch.randint(first, end, (options.batch,), generator=rng)
    noise = torch.randn(clean.shape, generator=rng)
    # Last, so that images and noise are the same with and without prompts.
    prompts = prompts_for_training(session, images.train_labels[drawn], rng)
    return Batch(session.schedule.add_noise(clean, noise, t), noise, clean, t, prompts)


def _scored_mse(predicted: Tensor, noise: Tensor, t: Tensor) -> float:
    """Noise MSE over the batch's images with t >= 100, as it is scored; over all if there are none."""
    scored = t >= FIRST_SCORED_T if bool((t >= FIRST_SCORED_T).any()) else t >= 0
    return noise_mse(predicted[scored], noise[scored])


def _pictures(
    x_t: Tensor, inputs: Tensor, measured: Tensor, predicted: Tensor, noise: Tensor
) -> Pictures:
    return Pictures(
        noisy=x_t[0].numpy().copy(),
        input_field=inputs[0].detach().numpy().copy(),
        camera=measured[0].numpy().copy(),
        predicted_noise=predicted[0].numpy().copy(),
        true_noise=noise[0].numpy().copy(),
    )
