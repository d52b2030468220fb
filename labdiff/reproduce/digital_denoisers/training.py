"""Train a digital denoiser to predict noise, with the diffusion settings of the optical unit."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.errors import UserError
from labdiff.events import DenoiserStep, StageStarted
from labdiff.job import Job
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.store import read_denoiser, save_denoiser

CHECKPOINT_SECONDS = 20.0
"""Time between two checkpoints."""
_MOMENTS = ("exp_avg", "exp_avg_sq")
"""Names of Adam's running means."""


@dataclass(frozen=True, slots=True)
class DenoiserTraining:
    """Options of a denoiser's training.

    images: number of images in all steps, repetitions counted. learning_rate: None for the net's own; it
    falls to zero as half a cosine.
    """

    images: int
    batch: int = 32
    learning_rate: float | None = None
    seed: int = 0

    @property
    def steps(self) -> int:
        """Number of training steps, each with one batch."""
        return math.ceil(self.images / self.batch)


def train_denoiser(
    net: DigitalDenoiser,
    images: Tensor,
    options: DenoiserTraining,
    schedule: NoiseSchedule,
    path: Path | None,
) -> Job[None]:
    """Minimise the mean squared error of the predicted noise; t is uniform in 0 ... T - 1.

    The net is trained on the device of its weights. An interrupted training resumes from its file, to the
    same weights as without the interruption; a finished one is only read.

    Args:
        net: the denoiser.
        images: training images, (count, H, W).
        options: of the training.
        schedule: the noise schedule.
        path: the denoiser's file; None for none.

    Raises:
        UserError: the file is of another net or another training.
    """
    rate = options.learning_rate or net.learning_rate
    adam = torch.optim.Adam(net.parameters(), lr=rate)
    stored_options = {**asdict(options), "learning_rate": rate, "images_sha256": _digest(images)}
    first = _resume(path, net, adam, stored_options, options.steps) if path is not None else 0
    yield StageStarted(f"learning, {net.architecture}", options.steps)
    where = next(net.parameters()).device
    stored_s = time.monotonic()
    done = first
    net.train()
    try:
        for step in range(first, options.steps):
            x_t, noise, t = (part.to(where) for part in _batch(images, options, schedule, step))
            for group in adam.param_groups:
                group["lr"] = rate * 0.5 * (1.0 + math.cos(math.pi * step / options.steps))
            adam.zero_grad()
            loss = (net(x_t, t) - noise).square().mean()
            torch.autograd.backward(loss)
            adam.step()
            done = step + 1
            yield DenoiserStep(net.architecture, step, options.steps, loss.item())
            if path is not None and time.monotonic() - stored_s > CHECKPOINT_SECONDS:
                _store(path, net, adam, stored_options, done)
                stored_s = time.monotonic()
    except GeneratorExit:
        # Raised at a yield alone, so between two steps.
        if path is not None:
            _store(path, net, adam, stored_options, done)
        raise
    if path is not None and first < options.steps:
        save_denoiser(path, net, stored_options, done, {})
    net.eval()


def _batch(
    images: Tensor, options: DenoiserTraining, schedule: NoiseSchedule, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return x_t, noise (B, H, W) and t (B,), seeded by the step: a resumed training draws the same."""
    rng = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
    clean = images[torch.randint(len(images), (options.batch,), generator=rng)]
    t = torch.randint(schedule.steps, (options.batch,), generator=rng)
    noise = torch.randn(clean.shape, generator=rng)
    return schedule.add_noise(clean, noise, t), noise, t


def _digest(images: Tensor) -> str:
    """Return a digest of the images: a training does not resume with others."""
    return hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()


def _store(
    path: Path,
    net: DigitalDenoiser,
    adam: torch.optim.Adam,
    stored_options: dict[str, object],
    step: int,
) -> None:
    moments = {
        f"{name}.{moment}": adam.state[value][moment]
        for name, value in net.named_parameters()
        if value in adam.state
        for moment in _MOMENTS
    }
    save_denoiser(path, net, stored_options, step, moments)


def _resume(
    path: Path,
    net: DigitalDenoiser,
    adam: torch.optim.Adam,
    stored_options: dict[str, object],
    steps: int,
) -> int:
    """Load the state that the file holds; return the step at which the training resumes."""
    if not path.exists():
        return 0
    stored = read_denoiser(path)
    for what, there, asked in (
        ("architecture", stored.architecture, net.architecture),
        ("settings", stored.settings, net.settings),
        ("training", stored.options, stored_options),
    ):
        if there != asked:
            raise UserError(
                f"{path}: holds a denoiser of another {what} ({there}) than asked for ({asked}). "
                "Remove it or choose another folder."
            )
    try:
        net.load_state_dict(stored.net)
        for name, value in net.named_parameters():
            if 0 < stored.step < steps:
                adam.state[value] = {
                    "step": torch.tensor(float(stored.step)),
                    **{m: stored.optimiser[f"{name}.{m}"].to(value.device) for m in _MOMENTS},
                }
    except (RuntimeError, KeyError) as error:
        raise UserError(f"{path}: its checkpoint does not fit this program: {error}") from None
    return stored.step
