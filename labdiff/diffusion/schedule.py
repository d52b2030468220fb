"""The noise schedule of DDPM (Ho 2020), with the names of diffusers."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Spacing = Literal["linspace", "quadratic"]


class NoiseSchedule:
    """`x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps`, beta linear from 1e-4 to 0.02 over T steps.

    The paper, section 3.1. t counts from 0 (almost clean) to T - 1 (almost pure noise).
    """

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        self.steps = steps
        betas = torch.linspace(beta_start, beta_end, steps, dtype=torch.float64)
        self.betas = betas.float()
        self.alphas_bar = torch.cumprod(1.0 - betas, 0).float()

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t for images (B, H, W), noise (B, H, W) and timesteps (B,)."""
        abar = self.alphas_bar[t].view(-1, 1, 1)
        return abar.sqrt() * x0 + (1.0 - abar).sqrt() * noise

    def timesteps(self, count: int, spacing: Spacing = "linspace", least_t: int = 0) -> list[int]:
        """`count` timesteps from T - 1 down to least_t.

        "linspace": evenly spaced; "quadratic": closer together the less noise there is, where images
        get their detail (Song 2021, appendix D.2).
        Raises ValueError if count is not within 1 ... T - least_t.
        """
        span = self.steps - least_t
        if not 1 <= count <= span:
            raise ValueError(f"sampler steps: {count}; allowed is 1 ... {span}")
        if count == 1:
            return [self.steps - 1]
        if spacing == "linspace":
            return [round(t) for t in torch.linspace(self.steps - 1, least_t, count).tolist()]
        # No timestep twice: at the start the square grows by less than one a step.
        rising = [max(round((span - 1) * (k / (count - 1)) ** 2), k) for k in range(count)]
        return [least_t + k for k in rising[::-1]]

    def abar(self, t: int) -> float:
        """abar_t; 1 for t < 0, the clean image."""
        return float(self.alphas_bar[t]) if t >= 0 else 1.0
