"""Cells with soft edges."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from twin.denoising_unit import PLAIN_DESIGN, OpticalDenoisingUnit
from twin.gaussian_cells import softened


def test_a_spot_has_its_width_and_all_of_its_light() -> None:
    image = torch.zeros(1, 41, 31)
    image[0, 20, 15] = 1.0
    spot = softened(image, torch.tensor(2.0))[0]
    assert float(spot.sum()) == pytest.approx(1.0, abs=1e-4)
    for axis, middle in ((0, 20), (1, 15)):
        line = spot.sum(1 - axis)
        away = torch.arange(len(line)) - middle
        assert float((line * away.square()).sum()) ** 0.5 == pytest.approx(2.0, abs=0.01)


def test_what_is_uniform_stays_so_and_no_width_changes_nothing() -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 6, 9)
    assert torch.allclose(softened(image, torch.zeros(())), image)
    grey = torch.full((1, 6, 9), 0.3)
    assert torch.allclose(softened(grey, torch.tensor(3.0)), grey)


def test_both_ways_of_a_unit_have_widths_that_learn() -> None:
    torch.manual_seed(0)
    sharp, soft = (
        OpticalDenoisingUnit(2, 1, (8, 8), (4, 4), replace(PLAIN_DESIGN, soft_cells=on))
        for on in (False, True)
    )
    image, light = torch.randn(3, 4, 4), torch.rand(3, 8, 8)
    written = (
        soft.encode(image, 1)[0] - sharp.encode(softened(image / 3.0, torch.ones(())) * 3.0, 1)[0]
    )
    assert float(written.detach().abs().max()) < 1e-5
    assert torch.allclose(
        soft.detected(light, 1), softened(sharp.detected(light, 1), torch.ones(()))
    )
    soft.encode(image, 1)[0].square().sum().backward()
    soft.detected(light, 1).square().sum().backward()
    for widths in (soft.spot_px, soft.region_px):
        assert widths.grad is not None and widths.grad[0] == 0.0 != widths.grad[1]
    with torch.no_grad():
        soft.spot_px.zero_(), soft.region_px.zero_()
    assert torch.allclose(soft.detected(light, 0), sharp.detected(light, 0))
