"""What electronics of a unit would reach without light: soft cells twice, a skip, an offset a pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.metrics.range_error import RANGE, noisy_range
from twin.gaussian_cells import softened

WIDTHS_PX = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)
FITTED = 2000
"""Noisy images of each range that the coefficients are fitted to."""


class Electronics:
    """x0 = offset + a x_t + b softened(x_t): for each range of 100 timesteps the best such predictor.

    a, b and the width by least squares on training images (N, H, W), the offset is what then is the mean.
    A unit whose cells are soft has all this too; what it is better by, light has done.
    """

    def __init__(self, images: Tensor, schedule: NoiseSchedule, seed: int) -> None:
        self.schedule = schedule
        self._fits = [
            self._fit(images, first, seed + 1) for first in range(0, schedule.steps, RANGE)
        ]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        clean = torch.stack(
            [self._clean(image, int(step) // RANGE) for image, step in zip(x_t, t, strict=True)]
        )
        abar = self.schedule.alphas_bar[t].view(-1, 1, 1)
        return (x_t - abar.sqrt() * clean) / (1.0 - abar).sqrt()

    def _clean(self, image: Tensor, index: int) -> Tensor:
        offset, weights, width = self._fits[index]
        return (offset + weights[0] * image + weights[1] * softened(image, width)).clamp(-1.0, 1.0)

    def _fit(self, images: Tensor, first: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        noisy = noisy_range(images, self.schedule, first, first + RANGE, FITTED, seed)
        wanted = noisy.clean - noisy.clean.mean(0)
        found = []
        for width in torch.tensor(WIDTHS_PX):
            parts = torch.stack([noisy.x_t, softened(noisy.x_t, width)])
            means = parts.mean(1)
            away = (parts - means[:, None]).flatten(1)
            weights = torch.linalg.lstsq(away.T, wanted.flatten()[:, None]).solution[:, 0]
            error = float((weights @ away - wanted.flatten()).square().mean())
            offset = noisy.clean.mean(0) - torch.tensordot(weights, means, dims=1)
            found.append((error, offset, weights, width))
        return min(found, key=lambda fit: fit[0])[1:]
