"""Figures of merit, and the two baselines that stand beside every one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule

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


def identity_prediction(x_t: Tensor) -> Tensor:
    """Standardised x_t itself: what a bare relay lens would score."""
    flat = x_t.flatten(1)
    standard = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp_min(1e-6)
    return standard.view_as(x_t)


class WienerDenoiser:
    """The best linear predictor of the noise from x_t, one for each stretch of 100 timesteps.

    Ridge regression in closed form on the training images' own statistics: for every t of a stretch
    E[eps x_t'] = sqrt(1 - abar) 1 and E[x_t x_t'] = abar cov + (1 - abar) 1 are known, so no noise
    is drawn and none is over-fitted.
    """

    def __init__(self, images: Tensor, schedule: NoiseSchedule, stretch: int = 100) -> None:
        self.stretch = stretch
        flat = images.flatten(1).double()
        size = flat.shape[1]
        mean = flat.mean(0)
        centred = flat - mean
        covariance = centred.T @ centred / len(flat)
        unit = torch.eye(size, dtype=torch.float64)
        moments = torch.cat([covariance + mean[:, None] * mean[None], mean[:, None]], 1)
        self.weights: list[Tensor] = []
        for first in range(0, schedule.steps, stretch):
            abar = schedule.alphas_bar[first : first + stretch].double()
            root, noise = abar.sqrt().mean(), (1.0 - abar).sqrt().mean()
            second = abar.mean() * moments[:, :size] + (1.0 - abar).mean() * unit
            last = torch.cat([root * mean, torch.ones(1, dtype=torch.float64)])
            gram = torch.cat([torch.cat([second, root * mean[:, None]], 1), last[None]], 0)
            cross = torch.cat([noise * unit, torch.zeros(1, size, dtype=torch.float64)], 0)
            ridge = 1e-6 * torch.eye(size + 1, dtype=torch.float64)
            self.weights.append(torch.linalg.solve(gram + ridge, cross).float())

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        flat = torch.cat([x_t.flatten(1), torch.ones(len(x_t), 1)], 1)
        out = torch.empty_like(x_t)
        for index, weights in enumerate(self.weights):
            mine = (t // self.stretch) == index
            if bool(mine.any()):
                out[mine] = (flat[mine] @ weights).view(-1, *x_t.shape[1:])
        return out


def mse_of(predict: Callable[[Tensor, Tensor], Tensor], noisy: NoisyImages) -> float:
    """Noise MSE of a predictor (x_t, t) -> noise on held-out noisy images."""
    return noise_mse(predict(noisy.x_t, noisy.t), noisy.noise)
