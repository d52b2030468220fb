"""Errors of a denoiser on held-out images, by timestep range.

Two errors, both of the noise that was predicted:

    noise MSE    mean (eps' - eps)^2, for ranges from t = 100 on; below, x_t is nearly the clean image
    clean MSE    mean (x0' - x0)^2,  x0' = clamp((x_t - sqrt(1 - abar) eps') / sqrt(abar), -1, 1)

At large t the division by sqrt(abar) (0.006 at t = 999) magnifies an error of the noise into the clean
image, up to the clamp; at small t the noise error of a predictor of the clean image is magnified by
sqrt(abar / (1 - abar)). So each error is meaningful where the other one is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.metrics.noise_error import FIRST_SCORED_T, NoisyImages, Predictor

RANGE = 100
"""Number of timesteps of a range, if no edges are given."""


@dataclass(frozen=True, slots=True)
class MeanError:
    """A mean over images and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class RangeError:
    """The errors of one predictor for t in [first_t, end_t). noise_mse: None if first_t < 100."""

    first_t: int
    end_t: int
    count: int
    noise_mse: MeanError | None
    clean_mse: MeanError


def range_edges(schedule: NoiseSchedule, length: int = RANGE) -> tuple[int, ...]:
    """Return the edges of ranges of equal length: 0, length, 2 length ... T."""
    return (*range(0, schedule.steps, length), schedule.steps)


def noisy_range(
    images: Tensor, schedule: NoiseSchedule, first_t: int, end_t: int, count: int, seed: int
) -> NoisyImages:
    """Draw noisy images with t stratified over [first_t, end_t).

    No image is drawn twice before all were drawn once.

    Args:
        images: held-out images, (N, H, W).
        schedule: the noise schedule.
        first_t: first timestep of the range.
        end_t: first timestep after it.
        count: number of noisy images.
        seed: of images, timesteps and noise.

    Raises:
        ValueError: the range is empty, or not within 0 ... T.
    """
    if not 0 <= first_t < end_t <= schedule.steps:
        raise ValueError(f"timesteps [{first_t}, {end_t}) do not lie in 0 ... {schedule.steps}")
    rng = torch.Generator().manual_seed(seed * 1009 + first_t)
    rounds = -(-count // len(images))
    order = torch.cat([torch.randperm(len(images), generator=rng) for _ in range(rounds)])
    clean = images[order[:count]]
    share = (torch.arange(count) + torch.rand(count, generator=rng)) / count
    t = (first_t + share * (end_t - first_t)).long().clamp(max=end_t - 1)
    noise = torch.randn(clean.shape, generator=rng)
    return NoisyImages(schedule.add_noise(clean, noise, t), noise, clean, t)


def clean_image(x_t: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule) -> Tensor:
    """Return the clean image (x_t - sqrt(1 - abar) noise) / sqrt(abar), clamped to -1 ... 1.

    Args:
        x_t: noisy images, (B, H, W).
        noise: the predicted noise, (B, H, W).
        t: timesteps, (B,).
        schedule: the noise schedule.

    Returns:
        (B, H, W), float64.
    """
    abar = schedule.alphas_bar[t].double().view(-1, 1, 1)
    clean = (x_t.double() - (1.0 - abar).sqrt() * noise.double()) / abar.sqrt()
    return clean.clamp(-1.0, 1.0)


def range_error(
    predict: Predictor, noisy: NoisyImages, schedule: NoiseSchedule, first_t: int, end_t: int
) -> RangeError:
    """Return the errors of a predictor on the noisy images of one range.

    Args:
        predict: the predictor.
        noisy: noisy images with t in [first_t, end_t).
        schedule: the noise schedule.
        first_t: first timestep of the range.
        end_t: first timestep after it.
    """
    predicted = predict(noisy.x_t, noisy.t)
    clean = clean_image(noisy.x_t, predicted, noisy.t, schedule)
    return RangeError(
        first_t,
        end_t,
        len(noisy.t),
        mean_error(predicted.double() - noisy.noise) if first_t >= FIRST_SCORED_T else None,
        mean_error(clean - noisy.clean),
    )


def range_errors(
    predict: Predictor,
    images: Tensor,
    schedule: NoiseSchedule,
    edges: Sequence[int] = (),
    count: int = 500,
    seed: int = 0,
) -> tuple[RangeError, ...]:
    """Return the errors of a predictor for every range between two edges.

    The same seed gives every predictor the same images, timesteps and noise, so that two predictors can
    be compared more closely than their standard errors suggest.

    Example:
        for error in range_errors(WienerFilter(images.train, schedule), images.test, schedule):
            print(error.first_t, error.clean_mse.value)

    Args:
        predict: the predictor.
        images: held-out images, (N, H, W).
        schedule: the noise schedule.
        edges: edges of the ranges; ranges of 100 timesteps if empty.
        count: number of images for each range.
        seed: of images, timesteps and noise.
    """
    limits = tuple(edges) or range_edges(schedule)
    return tuple(
        range_error(predict, noisy_range(images, schedule, a, b, count, seed), schedule, a, b)
        for a, b in pairwise(limits)
    )


def mean_error(difference: Tensor) -> MeanError:
    """Return the mean square of (B, H, W) and its standard error over images; NaN for one image."""
    each = difference.square().mean((1, 2))
    error = float(each.std()) / len(each) ** 0.5 if len(each) > 1 else float("nan")
    return MeanError(float(each.mean()), error)
