"""The baselines beside every error of a denoiser: identity and linear prediction."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule


def identity_prediction(x_t: Tensor) -> Tensor:
    """Return x_t (B, H, W), standardised image by image: the prediction of a bare relay lens."""
    flat = x_t.flatten(1)
    standard = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp_min(1e-6)
    return standard.view_as(x_t)


class WienerDenoiser:
    """The best linear predictor of the noise from x_t, one for each range of 100 timesteps.

    Ridge regression in closed form on the training images' own statistics: for every t of a range
    E[eps x_t'] = sqrt(1 - abar) 1 and E[x_t x_t'] = abar cov + (1 - abar) 1 are known, so no noise
    is drawn, and none is over-fitted.

    Example:
        error = noise_mse(WienerDenoiser(images.train, schedule)(x_t, t), noise)

    Args:
        images: training images, (N, H, W).
        schedule: the noise schedule.
        stretch: number of timesteps of a range.
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
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        flat = torch.cat([x_t.flatten(1), torch.ones(len(x_t), 1)], 1)
        out = torch.empty_like(x_t)
        for index, weights in enumerate(self.weights):
            mine = (t // self.stretch) == index
            if bool(mine.any()):
                out[mine] = (flat[mine] @ weights).view(-1, *x_t.shape[1:])
        return out


class WienerFilter:
    """The best linear predictor of the noise for each single timestep (Wiener 1949).

    eps = sqrt(1 - abar) C^-1 (x_t - sqrt(abar) mean), C = abar cov + (1 - abar) 1, with mean and cov of the
    training images. The noise and the clean image that follows from it are both linear in x_t, so it is
    the best for both. It is stricter than `WienerDenoiser`, which like a layer set has one map for a range.
    """

    def __init__(self, images: Tensor, schedule: NoiseSchedule) -> None:
        self.schedule = schedule
        flat = images.flatten(1).double()
        self.mean = flat.mean(0)
        centred = flat - self.mean
        variances, self.axes = torch.linalg.eigh(centred.T @ centred / len(flat))
        self.variances = variances.clamp_min(0.0)

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted noise (B, H, W) for x_t (B, H, W) and t (B,)."""
        abar = self.schedule.alphas_bar[t].double()[:, None]
        along = (x_t.flatten(1).double() - abar.sqrt() * self.mean) @ self.axes
        along *= (1.0 - abar).sqrt() / (abar * self.variances + 1.0 - abar)
        predicted: Tensor = (along @ self.axes.T).view_as(x_t).float()
        return predicted
