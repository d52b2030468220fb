"""The error of predicted noise on held-out images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule

Predictor: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""A function from (x_t (B, H, W), t (B,)) to the predicted noise (B, H, W)."""

FIRST_SCORED_T = 100
"""First timestep over which the noise MSE is averaged; below, x_t is nearly the clean image."""


@dataclass(frozen=True, slots=True)
class NoisyImages:
    """Held-out images with noise added: all (count, H, W) except t, (count,)."""

    x_t: Tensor
    noise: Tensor
    clean: Tensor
    t: Tensor


def held_out_noisy(
    images: Tensor, schedule: NoiseSchedule, count: int, seed: int, end_t: int | None = None
) -> NoisyImages:
    """Draw noisy images with t stratified uniformly over [100, end_t).

    Args:
        images: held-out images, (N, H, W).
        schedule: the noise schedule.
        count: number of noisy images.
        seed: of images, timesteps and noise.
        end_t: first timestep that is not scored; T if None. At or below 100, all below it are scored.
    """
    rng = torch.Generator().manual_seed(seed)
    end = schedule.steps if end_t is None else end_t
    first = FIRST_SCORED_T if end > FIRST_SCORED_T else 0
    span = end - first
    t = first + ((torch.arange(count) + torch.rand(count, generator=rng)) * span / count)
    t = t.long().clamp(max=end - 1)
    clean = images[torch.randint(len(images), (count,), generator=rng)]
    noise = torch.randn(clean.shape, generator=rng)
    return NoisyImages(schedule.add_noise(clean, noise, t), noise, clean, t)


def noise_mse(predicted: Tensor, noise: Tensor) -> float:
    """Return the mean squared error of the predicted noise."""
    return float((predicted - noise).square().mean())


def mse_of(predict: Predictor, noisy: NoisyImages) -> float:
    """Return the noise MSE of a predictor on held-out noisy images."""
    return noise_mse(predict(noisy.x_t, noisy.t), noisy.noise)
