"""The error of predicted noise on held-out images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule

Predictor: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(x_t (B, H, W), t (B,)) -> predicted noise (B, H, W)."""

FIRST_SCORED_T = 100
"""Noise MSE is averaged over t in [100, T): below, x_t is nearly the clean image."""


@dataclass(frozen=True, slots=True)
class NoisyImages:
    """Held-out images made noisy: everything (count, H, W) but t (count,)."""

    x_t: Tensor
    noise: Tensor
    clean: Tensor
    t: Tensor


def held_out_noisy(images: Tensor, schedule: NoiseSchedule, count: int, seed: int) -> NoisyImages:
    """`count` noisy images with t stratified uniformly over [100, T), seeded."""
    rng = torch.Generator().manual_seed(seed)
    span = schedule.steps - FIRST_SCORED_T
    t = FIRST_SCORED_T + ((torch.arange(count) + torch.rand(count, generator=rng)) * span / count)
    t = t.long().clamp(max=schedule.steps - 1)
    clean = images[torch.randint(len(images), (count,), generator=rng)]
    noise = torch.randn(clean.shape, generator=rng)
    return NoisyImages(schedule.add_noise(clean, noise, t), noise, clean, t)


def noise_mse(predicted: Tensor, noise: Tensor) -> float:
    """Mean squared error of the predicted noise."""
    return float((predicted - noise).square().mean())


def mse_of(predict: Predictor, noisy: NoisyImages) -> float:
    """Noise MSE of a predictor (x_t, t) -> noise on held-out noisy images."""
    return noise_mse(predict(noisy.x_t, noisy.t), noisy.noise)
