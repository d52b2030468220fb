"""The noise schedule of DDPM (Ho 2020), with the method names of diffusers' schedulers."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Spacing = Literal["linspace", "quadratic"]
"""Names of the ways in which a sampler spaces its timesteps."""


class NoiseSchedule:
    """The forward process x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps (the paper, section 3.1).

    t counts from 0 (almost clean) to T - 1 (almost pure noise).

    Example:
        schedule = NoiseSchedule()
        x_t = schedule.add_noise(images, torch.randn_like(images), torch.tensor([500]))

    Args:
        steps: number of timesteps T.
        beta_start: beta at t = 0.
        beta_end: beta at t = T - 1; in between beta is linear.
    """

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        self.steps = steps
        betas = torch.linspace(beta_start, beta_end, steps, dtype=torch.float64)
        self.betas = betas.float()
        self.alphas_bar = torch.cumprod(1.0 - betas, 0).float()
        # A sampler asks for single values, for which a GPU would be waited for.
        self._abar: list[float] = self.alphas_bar.tolist()
        self._tables = {self.alphas_bar.device: self.alphas_bar}

    def alphas_bar_at(self, t: Tensor) -> Tensor:
        """Return abar of timesteps (B,), on their device: the table is sent there once."""
        table = self._tables.get(t.device)
        if table is None:
            table = self._tables[t.device] = self.alphas_bar.to(t.device)
        return table[t]

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return x_t, (B, H, W).

        Args:
            x0: clean images, (B, H, W).
            noise: standard normal noise eps, (B, H, W).
            t: timesteps, (B,).
        """
        abar = self.alphas_bar_at(t).view(-1, 1, 1)
        return abar.sqrt() * x0 + (1.0 - abar).sqrt() * noise

    def timesteps(
        self,
        count: int,
        spacing: Spacing = "linspace",
        least_t: int = 0,
        first_t: int | None = None,
    ) -> list[int]:
        """Return the timesteps that a sampler visits, from first_t - 1 down to least_t.

        Args:
            count: their number.
            spacing: "linspace": evenly spaced; "quadratic": closer together the less noise there is,
                where images get their detail (Song 2021, appendix D.2).
            least_t: the last timestep.
            first_t: number of timesteps that are denoised; T if None.

        Raises:
            ValueError: count is not within 1 ... first_t - least_t.
        """
        steps = self.steps if first_t is None else first_t
        span = steps - least_t
        if not 1 <= count <= span:
            raise ValueError(f"sampler steps: {count}; allowed is 1 ... {span}")
        if count == 1:
            return [steps - 1]
        if spacing == "linspace":
            return [round(t) for t in torch.linspace(steps - 1, least_t, count).tolist()]
        # No timestep twice: at the start the square grows by less than one a step.
        rising = [max(round((span - 1) * (k / (count - 1)) ** 2), k) for k in range(count)]
        return [least_t + k for k in rising[::-1]]

    def abar(self, t: int) -> float:
        """Return abar_t; 1 for t < 0, the clean image."""
        return self._abar[t] if t >= 0 else 1.0
