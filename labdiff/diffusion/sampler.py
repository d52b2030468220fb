"""Samplers: the reverse processes of the paper, of DDPM and of DDIM, from noise to images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule, Spacing

Denoiser = Callable[[Tensor, int], Tensor]
"""A function from (x_t (B, H, W), t) to the predicted noise (B, H, W)."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """One of three reverse processes.

    kind: "paper" is r_{t-1} = (r_t - beta_t eps) / sqrt(1 - beta_t), as printed, no noise added;
        "ddpm" is Ho 2020, posterior mean and sigma_t z; "ddim" is Song 2021 with eta.
    steps, spacing: number of timesteps that are visited, and their spacing. "paper" and "ddpm" treat a
        longer stride as one step with the stride's own beta, 1 - abar_t / abar_s.
    least_t: the last timestep visited; the noise that is left there is removed in one step. The layer
        sets of less noise would take speckle of the unit's earlier predictions for a part of the image.
    eta: of "ddim"; above 1 more noise is added than by "ddpm", at most what x at the next t contains.
    temperature: scales the noise that "ddpm" and "ddim" add. Below 1 less noise is added than belongs to
        the next timestep, because the unit's own errors act as noise too.
    contrast, mean: "ddpm" and "ddim" stretch each predicted clean image about the images' mean
        brightness, because a unit loses contrast of its own images from step to step.

    first_t: number of timesteps that are denoised: the process starts at the last of them. None: all T.

    Defaults stand with the options (`labdiff.config.training.SamplerOptions`), from which
    `labdiff.generation.sample.sampler_of` makes a sampler.

    Example:
        sampler = sampler_of(SamplerOptions(sampler_steps=20))
        for index, t, images in sampler.sample(denoiser, noise, NoiseSchedule(), rng):
            print(t, images.std())
    """

    kind: Literal["paper", "ddpm", "ddim"]
    steps: int
    eta: float
    spacing: Spacing
    least_t: int
    temperature: float
    contrast: float
    mean: float
    first_t: int | None = None

    def timesteps(self, schedule: NoiseSchedule) -> list[int]:
        """Return the timesteps that are visited, in this order."""
        return schedule.timesteps(self.steps, self.spacing, self.least_t, self.first_t)

    def sample(
        self,
        denoiser: Denoiser,
        start: Tensor,
        schedule: NoiseSchedule,
        rng: torch.Generator,
        done: int = 0,
    ) -> Iterator[tuple[int, int, Tensor]]:
        """Yield (index, t, images (B, H, W)) after every step; the last images are the result.

        Args:
            denoiser: predicts the noise of x_t.
            start: noisy images (B, H, W) at the first timestep, pure noise at T - 1, or the
                images after `done` steps.
            schedule: the noise schedule of the training.
            rng: draws the noise that is added.
            done: number of steps that were taken before.
        """
        times = self.timesteps(schedule)
        x = start
        for index, t in list(enumerate(times))[done:]:
            previous = times[index + 1] if index + 1 < len(times) else -1
            x = self.step(x, denoiser(x, t), t, previous, schedule, rng)
            yield index, t, x

    def step(
        self,
        x: Tensor,
        noise: Tensor,
        t: int,
        previous: int,
        schedule: NoiseSchedule,
        rng: torch.Generator,
    ) -> Tensor:
        """Return x at the timestep `previous`, (B, H, W).

        Args:
            x: x_t, (B, H, W).
            noise: the noise predicted in x_t, (B, H, W).
            t: the timestep of x.
            previous: the next timestep to visit; below 0 the clean image.
            schedule: the noise schedule of the training.
            rng: draws the noise that is added.
        """
        abar_t, abar_s = schedule.abar(t), schedule.abar(previous)
        beta = 1.0 - abar_t / abar_s
        if self.kind == "paper":
            plain: Tensor = (x - beta * noise) / (1.0 - beta) ** 0.5
            return plain
        # The clean image is clipped to its known range: an error at large t is magnified by
        # 1 / sqrt(abar) and would otherwise throw the chain off.
        clean = (x - (1.0 - abar_t) ** 0.5 * noise) / abar_t**0.5
        clean = (self.mean + self.contrast * (clean.clamp(-1.0, 1.0) - self.mean)).clamp(-1.0, 1.0)
        noise = (x - abar_t**0.5 * clean) / (1.0 - abar_t) ** 0.5
        variance = (1.0 - abar_s) / (1.0 - abar_t) * beta
        eta = 1.0 if self.kind == "ddpm" else self.eta
        sigma = min(eta * max(variance, 0.0) ** 0.5, (1.0 - abar_s) ** 0.5)
        mean = abar_s**0.5 * clean + max(1.0 - abar_s - sigma**2, 0.0) ** 0.5 * noise
        added = self.temperature * sigma
        drawn: Tensor = mean + added * torch.randn(x.shape, generator=rng)
        return drawn
