"""Phases of all patches that make an objective small: by Adam from a start, by small steps near the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from labdiff.holograms.objective import Objective

IntensityOf: TypeAlias = Callable[[Tensor], Tensor]
"""Returns the intensity (h, w) of phases, with its gradient."""
LEAST_RATE = 0.02
"""Share of the learning rate that is left at the last step."""
FIRST_STEP_RAD, LAST_STEP_RAD = 0.01, 0.0005
"""Root mean square of the changes of phase in the first and the last of the small steps.

A grey level is 0.025 rad: few pixels change theirs in a step, those from which the objective gains most.
Where all changed, their roundings would change the light of each of 100 spots by 3 %.
"""


def random_start(shape: tuple[int, ...], spread_rad: float, seed: int) -> Tensor:
    """Return random phases (P, h, w), radians around 0, without which all patches would stay alike.

    Args:
        shape: (P, h, w).
        spread_rad: Standard deviation.
        seed: Of the draw.
    """
    return spread_rad * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def roughness(phases: Tensor) -> Tensor:
    """Return the mean of |e^(i a) - e^(i b)|^2 over neighbours in patches (P, h, w): turns do not count."""
    down, right = phases.diff(dim=-2), phases.diff(dim=-1)
    result: Tensor = 2.0 * (2.0 - down.cos().mean() - right.cos().mean())
    return result


class HologramOptimiser:
    """Adam on the phases of patches, with a learning rate that falls as a cosine.

    Attributes:
        phases: (P, h, w), radians.
        objective: What is made small.
    """

    def __init__(
        self,
        start: Tensor,
        objective: Objective,
        steps: int,
        rate_rad: float,
        smoothness: float = 0.0,
    ) -> None:
        """Begin at a start.

        Args:
            start: (P, h, w), radians.
            objective: Of the intensity.
            steps: Number of steps of Adam.
            rate_rad: Learning rate of the first one.
            smoothness: Weight of the roughness of the phases.
        """
        self.phases = start.clone().requires_grad_()
        self.objective = objective
        self._steps, self._rate_rad, self._smoothness = steps, rate_rad, smoothness
        self._adam, self._step = torch.optim.Adam([self.phases], lr=rate_rad), 0

    def step(self, intensity_of: IntensityOf) -> Tensor:
        """Make one step of Adam; return the intensity (h, w) before it."""
        share = 0.5 + 0.5 * math.cos(math.pi * self._step / self._steps)
        for group in self._adam.param_groups:
            group["lr"] = self._rate_rad * max(LEAST_RATE, share)
        self._adam.zero_grad()
        intensity = intensity_of(self.phases)
        torch.autograd.backward(self._loss(intensity))
        self._adam.step()
        self._step += 1
        return intensity.detach()

    def settle(self, intensity_of: IntensityOf, steps: int) -> None:
        """Make steps down the gradient, each smaller than the one before; the best phases stay.

        Args:
            intensity_of: Returns the intensity of phases as they are displayed, in grey levels.
            steps: Number of steps.
        """
        best, least = self.phases.detach().clone(), math.inf
        for step in range(steps + 1):
            self.phases.grad = None
            loss = self._loss(intensity_of(self.phases))
            torch.autograd.backward(loss)
            if float(loss.detach()) < least:
                best, least = self.phases.detach().clone(), float(loss.detach())
            gradient = self.phases.grad
            if gradient is None or step == steps:
                break
            with torch.no_grad():
                size = FIRST_STEP_RAD * (LAST_STEP_RAD / FIRST_STEP_RAD) ** (step / steps)
                self.phases -= size * gradient / gradient.square().mean().sqrt().clamp_min(1e-30)
        with torch.no_grad():
            self.phases.copy_(best)

    def _loss(self, intensity: Tensor) -> Tensor:
        loss = self.objective(intensity)
        if self._smoothness > 0.0:
            loss = loss + self._smoothness * roughness(self.phases)
        return loss
