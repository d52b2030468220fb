"""The baselines of each layer set: what identity and the linear predictor score on its own timesteps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.metrics.baselines import identity_prediction
from labdiff.metrics.noise_error import FIRST_SCORED_T, Predictor, mse_of, noise_mse
from labdiff.metrics.range_error import noisy_range

IMAGES_A_RANGE = 400
"""Number of held-out noisy images of a range: the standard error of a baseline is then about 2 %."""


@dataclass(frozen=True, slots=True)
class RangeBaseline:
    """Noise MSE of both baselines for t in [first_t, end_t), over t >= 100 where the range has such t."""

    first_t: int
    end_t: int
    identity_mse: float
    wiener_mse: float


def range_baselines(
    wieners: Sequence[Predictor],
    images: Sequence[Tensor],
    schedule: NoiseSchedule,
    policy: TimeAwarePolicy,
    seed: int,
) -> tuple[RangeBaseline, ...]:
    """Return the baselines of each layer set, in order, over the timesteps on which its steps are scored.

    Args:
        wieners: the linear predictor of the training images of each cluster, of all without clusters.
        images: held-out images of each cluster, (N, H, W).
        schedule: the noise schedule.
        policy: which layer set denoises at which timesteps.
        seed: of images, timesteps and noise.
    """
    found = []
    for layer_set in range(policy.layer_sets):
        first_t, end_t = policy.bounds(layer_set)
        scored_t = max(first_t, FIRST_SCORED_T) if end_t > FIRST_SCORED_T else first_t
        cluster = policy.cluster(layer_set)
        noisy = noisy_range(images[cluster], schedule, scored_t, end_t, IMAGES_A_RANGE, seed)
        identity = noise_mse(identity_prediction(noisy.x_t), noisy.noise)
        found.append(RangeBaseline(first_t, end_t, identity, mse_of(wieners[cluster], noisy)))
    return tuple(found)
