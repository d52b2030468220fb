"""Figures of hand-made frames against closed forms, and what the optimisation makes small."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from drivers.types import Roi
from labdiff.holograms.figures import hologram_figures
from labdiff.holograms.objective import objective_of
from labdiff.holograms.optimiser import HologramOptimiser, random_start, roughness
from labdiff.holograms.target import picture, spot_list

PLANE = (20, 20)
REGION = Roi(5, 5, 10, 10)
CHECKER = np.indices((10, 10)).sum(0) % 2


def test_the_target_itself_has_no_error_in_any_unit() -> None:
    target = picture(CHECKER, PLANE, REGION)
    found = hologram_figures(7.5 * target.image, target)
    assert found.efficiency == 1.0
    assert found.nrmse == pytest.approx(0.0, abs=1e-7)
    assert found.psnr_db > 120.0
    assert math.isnan(found.uniformity) and found.plain()["uniformity"] is None


def test_light_beside_the_region_lowers_the_efficiency_alone() -> None:
    target = picture(CHECKER, PLANE, REGION)
    frame = 2.0 * target.image
    frame[0, 0] = 25.0  # beside 50 pixels of 2
    found = hologram_figures(frame, target)
    assert found.efficiency == pytest.approx(0.8)
    assert found.psnr_db > 120.0


def test_an_error_of_known_size() -> None:
    target = picture(np.ones((10, 10)), PLANE, REGION)
    frame = target.image.copy()
    frame[REGION.top : REGION.top + 10, REGION.left : REGION.left + 10] += 0.1 * (2 * CHECKER - 1)
    found = hologram_figures(frame, target)
    # Of 1 +- e the best scale is 1 / (1 + e^2), the error e / sqrt(1 + e^2).
    assert found.nrmse == pytest.approx(0.1 / math.sqrt(1.01), rel=1e-6)
    assert found.psnr_db == pytest.approx(-20.0 * math.log10(0.1 / math.sqrt(1.01)), rel=1e-6)


def test_uniformity_of_weighed_spots() -> None:
    target = spot_list(np.array([[6, 6, 1.0], [12, 6, 2.0], [6, 12, 1.0]]), PLANE, REGION)
    frame = np.zeros(PLANE)
    frame[6, 6], frame[6, 12], frame[12, 6] = 1.1, 2.0, 0.9
    frame[0, 0] = 1.0
    found = hologram_figures(frame, target)
    assert found.uniformity == pytest.approx(1.0 - 0.2 / 2.0)
    assert found.in_spots == pytest.approx(0.8)
    frame[6, 6], frame[12, 6] = 1.0, 1.0
    assert hologram_figures(frame, target).uniformity == pytest.approx(1.0)


def test_a_black_frame_has_figures() -> None:
    target = spot_list(np.array([[6, 6, 1.0], [12, 6, 1.0]]), PLANE, REGION)
    found = hologram_figures(np.zeros(PLANE), target)
    assert (found.efficiency, found.in_spots, found.uniformity) == (0.0, 0.0, 0.0)
    assert found.nrmse == pytest.approx(1.0)


@pytest.mark.parametrize("spots", [False, True])
def test_the_objective_is_least_for_the_target_in_any_unit(spots: bool) -> None:
    target = picture(CHECKER, PLANE, REGION)
    if spots:
        target = spot_list(np.array([[6, 6, 1.0], [12, 6, 2.0]]), PLANE, REGION)
    objective, wanted = objective_of(target), torch.from_numpy(target.image)
    assert float(objective(wanted)) == pytest.approx(0.0, abs=1e-6)
    assert float(objective(3.0 * wanted)) == pytest.approx(0.0, abs=1e-6)
    noisy = wanted + 0.1 * torch.rand(PLANE, generator=torch.Generator().manual_seed(1))
    assert float(objective(noisy)) > 1e-3


def test_whole_turns_are_not_rough() -> None:
    turns = 2.0 * math.pi * torch.randint(-3, 3, (2, 8, 8)).float()
    assert float(roughness(turns + 0.3)) == pytest.approx(0.0, abs=1e-5)
    stripes = math.pi * (torch.arange(8) % 2).float().expand(1, 8, 8)
    # Neighbours along a row are opposite, |e^(i pi) - 1|^2 = 4; those along a column are equal.
    assert float(roughness(stripes)) == pytest.approx(4.0, rel=1e-5)


def test_small_steps_keep_the_best_phases() -> None:
    wanted = torch.full((1, 4, 4), 1.0)
    optimiser = HologramOptimiser(
        torch.full((1, 4, 4), 0.99), lambda seen: (seen - wanted).square().mean(), 1, 0.1
    )
    optimiser.settle(lambda phases: phases, 30)
    assert float((optimiser.phases - wanted).detach().abs().max()) < 0.003
    best = optimiser.phases.detach().clone()
    optimiser.settle(lambda phases: phases, 5)
    after = (optimiser.phases - wanted).detach().abs().max()
    assert float(after) <= float((best - wanted).abs().max())


def test_the_start_follows_from_its_seed() -> None:
    first, again = (random_start((2, 5, 6), 0.1, seed=3) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, random_start((2, 5, 6), 0.1, seed=4))
