"""Train a digital peer on predicted noise, with the diffusion settings of the optical unit."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.errors import UserError
from labdiff.events import DenoiserStep, StageStarted
from labdiff.job import Job
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.store import read_peer, save_peer

CHECKPOINT_SECONDS = 20.0
_MEMORIES = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class DenoiserTraining:
    """How a peer is trained.

    images: how many it is shown, repetitions counted. learning_rate: None for the net's own; it falls to
    zero as half a cosine.
    """

    images: int
    batch: int = 32
    learning_rate: float | None = None
    seed: int = 0

    @property
    def steps(self) -> int:
        """Updates: each takes one batch."""
        return math.ceil(self.images / self.batch)


def train_denoiser(
    net: DigitalDenoiser,
    images: Tensor,
    options: DenoiserTraining,
    schedule: NoiseSchedule,
    path: Path | None,
) -> Job[None]:
    """Lessen the mean squared error of the noise on images (count, H, W); t uniform in 0 ... T - 1.

    The net learns where its weights lie (CPU or GPU). path: its file. A training that was cut goes on
    from there, to the same weights as without the cut; one that has ended is only read.
    Raises UserError if the file is of another net or another training.
    """
    rate = options.learning_rate or net.learning_rate
    adam = torch.optim.Adam(net.parameters(), lr=rate)
    told = {**asdict(options), "learning_rate": rate, "images_sha256": _digest(images)}
    first = _resume(path, net, adam, told, options.steps) if path is not None else 0
    yield StageStarted(f"learning, {net.architecture}", options.steps)
    where = next(net.parameters()).device
    kept_s = time.monotonic()
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
            if path is not None and time.monotonic() - kept_s > CHECKPOINT_SECONDS:
                _keep(path, net, adam, told, done)
                kept_s = time.monotonic()
    except GeneratorExit:
        # Only ever at a yield, so between two updates.
        if path is not None:
            _keep(path, net, adam, told, done)
        raise
    if path is not None and first < options.steps:
        save_peer(path, net, told, done, {})
    net.eval()


def _batch(
    images: Tensor, options: DenoiserTraining, schedule: NoiseSchedule, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """x_t, noise (B, H, W) and t (B,), seeded by the step: a resumed training meets the same."""
    rng = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
    clean = images[torch.randint(len(images), (options.batch,), generator=rng)]
    t = torch.randint(schedule.steps, (options.batch,), generator=rng)
    noise = torch.randn(clean.shape, generator=rng)
    return schedule.add_noise(clean, noise, t), noise, t


def _digest(images: Tensor) -> str:
    """Which images they are: a training does not go on with others."""
    return hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()


def _keep(
    path: Path, net: DigitalDenoiser, adam: torch.optim.Adam, told: dict[str, Any], step: int
) -> None:
    memories = {
        f"{name}.{memory}": adam.state[value][memory]
        for name, value in net.named_parameters()
        if value in adam.state
        for memory in _MEMORIES
    }
    save_peer(path, net, told, step, memories)


def _resume(
    path: Path, net: DigitalDenoiser, adam: torch.optim.Adam, told: dict[str, Any], steps: int
) -> int:
    """Put back what the file holds; the step at which the training goes on."""
    if not path.exists():
        return 0
    stored = read_peer(path)
    for what, there, asked in (
        ("architecture", stored.architecture, net.architecture),
        ("settings", stored.settings, net.settings),
        ("training", stored.options, told),
    ):
        if there != asked:
            raise UserError(
                f"{path}: holds a peer of another {what} ({there}) than asked for ({asked}). "
                "Remove it or choose another folder."
            )
    try:
        net.load_state_dict(stored.net)
        for name, value in net.named_parameters():
            if 0 < stored.step < steps:
                adam.state[value] = {
                    "step": torch.tensor(float(stored.step)),
                    **{m: stored.optimiser[f"{name}.{m}"].to(value.device) for m in _MEMORIES},
                }
    except (RuntimeError, KeyError) as error:
        raise UserError(f"{path}: its checkpoint does not fit this program: {error}") from None
    return stored.step
