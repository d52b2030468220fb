"""The baselines of each layer set, on its own timesteps."""

from __future__ import annotations

import pytest
import torch

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.metrics.baselines import WienerDenoiser
from labdiff.metrics.range_baselines import range_baselines


def test_each_layer_set_has_its_timesteps_and_wiener_is_below_identity() -> None:
    images = torch.randn(300, 6, 6, generator=torch.Generator().manual_seed(0)).cumsum(1) * 0.3
    schedule = NoiseSchedule()
    policy = TimeAwarePolicy(schedule.steps, 4, [100, 300, 600])
    found = range_baselines([WienerDenoiser(images, schedule)], [images], schedule, policy, seed=3)
    assert [(b.first_t, b.end_t) for b in found] == [(0, 100), (100, 300), (300, 600), (600, 1000)]
    assert all(0.0 < b.wiener_mse < b.identity_mse for b in found)
    assert [b.wiener_mse for b in found] == sorted((b.wiener_mse for b in found), reverse=True), (
        "the more noise, the smaller the error that is left"
    )


def test_white_images_leave_the_error_that_theory_says() -> None:
    """Compare with theory: for white images of variance 1 the error is abar, averaged over the range."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(20_000, 4, 4, generator=generator)
    schedule = NoiseSchedule()
    policy = TimeAwarePolicy(schedule.steps, 2, [600])
    found = range_baselines([WienerDenoiser(images, schedule)], [images], schedule, policy, seed=3)
    expected = float(schedule.alphas_bar[600:].mean())
    assert found[1].wiener_mse == pytest.approx(expected, rel=0.1)
