"""What a hologram's optimisation makes small, as functions of the intensity on the output plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from drivers.types import Roi
from labdiff.holograms.target import HologramTarget, spot_masks

Objective: TypeAlias = Callable[[Tensor], Tensor]
"""Takes an intensity (h, w) in any unit, and returns one number that is small for a good one."""
LIGHT_WEIGHT = 0.02
"""Weight of the light beside the region, over the error in it."""
UNIFORM_WEIGHT, FINAL_UNIFORM_WEIGHT = 20.0, 500.0
"""Weights of the variance of the spots' light, over the light beside the spots: first, and at the end."""


def objective_of(target: HologramTarget, final: bool = True) -> Objective:
    """Return what is made small for a target.

    Args:
        target: What is wanted.
        final: False while spots gather light, where equal ones of little light would be a trap.
    """
    if target.spots is None:
        return picture_objective(torch.from_numpy(target.image), target.region)
    height, width = target.image.shape
    masks = torch.from_numpy(spot_masks(target.spots, (height, width)))
    weights = torch.from_numpy(target.spots[:, 2]).float()
    return spot_objective(masks, weights, FINAL_UNIFORM_WEIGHT if final else UNIFORM_WEIGHT)


def picture_objective(image: Tensor, region: Roi) -> Objective:
    """Return 1 - correlation in a region, and a little of the light that falls beside it.

    Args:
        image: (h, w), the wanted intensity.
        region: Of the plane.
    """
    rows = slice(region.top, region.top + region.height)
    columns = slice(region.left, region.left + region.width)
    wanted = image[rows, columns]
    whole = wanted.shape == image.shape

    def objective(intensity: Tensor) -> Tensor:
        inside = intensity[rows, columns]
        alike: Tensor = (inside * wanted).sum() / (inside.norm() * wanted.norm())
        if whole:
            return 1.0 - alike
        return 1.0 - alike + LIGHT_WEIGHT * (1.0 - inside.sum() / intensity.sum())

    return objective


def spot_objective(masks: Tensor, weights: Tensor, uniform_weight: float) -> Objective:
    """Return the share of the light beside the spots, and the relative variance of their light.

    Args:
        masks: (K, h, w), 1 where a pixel counts as a spot's.
        weights: (K,), the wanted light of the spots among each other.
        uniform_weight: Weight of the variance.
    """

    def objective(intensity: Tensor) -> Tensor:
        powers = torch.tensordot(masks, intensity, dims=2)
        share = powers / weights
        spread = (share / share.mean() - 1.0).square().mean()
        beside: Tensor = 1.0 - powers.sum() / intensity.sum()
        loss: Tensor = beside + uniform_weight * spread
        return loss

    return objective
