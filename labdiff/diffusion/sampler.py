"""From noise to images: the paper's reverse step, DDPM's and DDIM's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule, Spacing

Denoiser = Callable[[Tensor, int], Tensor]
"""(x_t (B, H, W), t) -> predicted noise (B, H, W)."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """One of three reverse processes.

    kind: "paper" prints r_{t-1} = (r_t - beta_t eps) / sqrt(1 - beta_t), no noise added;
        "ddpm" is Ho 2020, posterior mean and sigma_t z; "ddim" is Song 2021 with eta.
    steps, spacing: how many timesteps are visited, and which. "paper" and "ddpm" treat a longer stride
        as one step with the stride's own beta, 1 - abar_t / abar_s.
    least_t: the last of them; the noise that is left there goes in one step. Speckle that a unit leaves
        in its images is for the layer sets of less noise a part of the picture, and would stay.
    eta: of "ddim"; above 1 more noise is added than by "ddpm", as much as fits into x at the next t.
    temperature: of the noise that "ddpm" and "ddim" add. Below 1 they add less than belongs to the next
        timestep: the unit's own errors are noise to it too.
    contrast, mean: "ddpm" and "ddim" stretch each predicted clean image about the images' mean
        brightness: a unit that sees too little in its own images pales them from step to step.
    """

    kind: Literal["paper", "ddpm", "ddim"] = "ddim"
    steps: int = 50
    eta: float = 1.0
    spacing: Spacing = "linspace"
    least_t: int = 0
    temperature: float = 1.0
    contrast: float = 1.0
    mean: float = 0.0

    def timesteps(self, schedule: NoiseSchedule) -> list[int]:
        """Those that are visited, in that order."""
        return schedule.timesteps(self.steps, self.spacing, self.least_t)

    def sample(
        self,
        denoiser: Denoiser,
        start: Tensor,
        schedule: NoiseSchedule,
        rng: torch.Generator,
        done: int = 0,
    ) -> Iterator[tuple[int, int, Tensor]]:
        """Yield (index, t, images (B, H, W)) after every step; the last is the result.

        done: so many steps were done before, and `start` is what they led to.
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
        """X at timestep `previous` (< 0: the clean image) from x at t and the predicted noise."""
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
