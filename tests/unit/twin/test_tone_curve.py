"""Tone curves: what is looked up, and what matching gives."""

from __future__ import annotations

import torch

from twin.tone_curve import LEVELS, matching_levels, straight_levels, toned


def test_a_straight_curve_changes_nothing() -> None:
    images = torch.linspace(-1.0, 1.0, 1001)
    torch.testing.assert_close(toned(images, straight_levels()), images)


def test_between_its_entries_a_curve_is_linear_and_beyond_black_and_white_constant() -> None:
    levels = straight_levels() ** 3
    step = 2.0 / (LEVELS - 1)
    found = toned(torch.tensor([-2.0, 0.5 * step, 1.5]), levels)
    torch.testing.assert_close(found, torch.tensor([-1.0, 0.5 * step**3, 1.0]))


def test_matched_images_have_the_distribution_of_the_real_ones() -> None:
    rng = torch.Generator().manual_seed(1)
    uniform = torch.rand(40, 20, 20, generator=rng)
    real = 2.0 * uniform**2 - 1.0
    images = torch.rand(40, 20, 20, generator=rng) - 0.5
    found = toned(images, matching_levels(images, real))
    quantiles = torch.linspace(0.0, 1.0, 21)
    expected = 2.0 * quantiles**2 - 1.0
    torch.testing.assert_close(
        torch.quantile(found.flatten(), quantiles), expected, atol=0.03, rtol=0.0
    )


def test_a_curve_never_falls_and_black_that_many_pixels_share_stays_black() -> None:
    rng = torch.Generator().manual_seed(2)
    real = torch.where(torch.rand(5000, generator=rng) < 0.7, -1.0, 0.9)
    images = torch.where(torch.rand(5000, generator=rng) < 0.6, -1.0, 0.25)
    levels = matching_levels(images, real)
    assert bool((levels.diff() >= 0.0).all())
    torch.testing.assert_close(toned(torch.tensor([-1.0, 0.25]), levels), torch.tensor([-1.0, 0.9]))
