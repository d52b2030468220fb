"""Training with `device = "cpu"` beside a plain loop that knows no devices: the same to the bit."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.claims import claim
from benchmarks.device_checks.steps import small_session
from benchmarks.parts import Outcome, Setting
from labdiff.job import run
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.optimiser import BETAS, ENCODER_RATE
from twin.denoising_unit import REST_RAD

PLAIN = ("plain", "noise", "mixture", "halves")
"""Designs without prompts, which draw more numbers."""


def measure(setting: Setting) -> Outcome:
    """Train on the twin both ways."""
    designs = setting.amount("designs", smoke=PLAIN[:1], quick=PLAIN[:2], full=PLAIN)
    differing = 0
    for design in designs:
        ours, plain = (small_session(design, calibrated=False, quantised=False) for _ in range(2))
        ours.options = ours.options.model_copy(update={"device": "cpu", "layer_sets": 1})
        run(train(ours, "offline", only=0))
        _plain_training(plain)
        pairs = zip(ours.odu.parameters(), plain.odu.parameters(), strict=True)
        differing += any(not torch.equal(one[0], other[0]) for one, other in pairs)
    title = f"designs of {len(designs)} whose layers, trained with device cpu, differ from a plain loop's"
    return Outcome([claim(title, differing, "<= 0")])


def _plain_training(session: TrainingSession) -> None:
    """Train the first layer set as offline training does, step by step in the open."""
    options, odu, twin = session.options, session.odu, session.calibrated.twin
    deviation = (odu.phases.detach()[0] - REST_RAD).requires_grad_()
    rate = options.learning_rate
    adam = torch.optim.AdamW(
        [
            {"params": [deviation], "lr": rate, "weight_decay": options.phase_decay},
            {"params": odu.codec_parameters, "lr": ENCODER_RATE * rate, "weight_decay": 0.0},
        ],
        betas=BETAS,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, options.offline_steps)
    first, end = session.policy.bounds(0)
    for step in range(options.offline_steps):
        clean, noise, t = _drawn(session, first, end, step)
        abar = session.schedule.alphas_bar[t]
        x_t = session.schedule.add_noise(clean, noise, t)
        inputs, layers = odu.encode(x_t, 0, deviation + REST_RAD)
        adam.zero_grad()
        loss = odu.loss(twin(inputs, layers), x_t, abar, clean, noise, 0)
        torch.autograd.backward(loss)
        adam.step()
        schedule.step()
    with torch.no_grad():
        odu.phases[0] = deviation + REST_RAD


def _drawn(
    session: TrainingSession, first: int, end: int, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    options, images = session.options, session.images.train
    seed = (options.seed * 4 + 1) * 1_000_003 + step
    rng = torch.Generator().manual_seed(seed)
    clean = images[torch.randint(len(images), (options.batch,), generator=rng)]
    t = torch.randint(first, end, (options.batch,), generator=rng)
    return clean, torch.randn(clean.shape, generator=rng), t
