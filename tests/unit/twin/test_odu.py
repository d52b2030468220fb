"""Images in, noise out."""

from __future__ import annotations

import pytest
import torch

from twin.discrepancy import discrepancy
from twin.odu import SPAN_RAD, OpticalDenoisingUnit


def test_a_cell_holds_one_pixel_in_the_modulators_range() -> None:
    image = torch.tensor([[[-9.0, 9.0], [0.0, 0.0]]])
    written = OpticalDenoisingUnit(1, 1, (4, 4), (2, 2)).encode(image)
    assert written.shape == (1, 4, 4)
    assert float(written[0, 1, 1]) == 0.0
    assert float(written[0, 0, 2]) == pytest.approx(SPAN_RAD)
    dmd = OpticalDenoisingUnit(1, 1, (4, 4), (2, 2), input_kind="dmd").encode(image)
    assert float(dmd.max()) == 1.0


def test_perfect_light_decodes_to_the_exact_noise() -> None:
    torch.manual_seed(0)
    odu = OpticalDenoisingUnit(2, 1, (8, 8), (4, 4))
    clean, noise = 2.0 * torch.rand(3, 4, 4) - 1.0, torch.randn(3, 4, 4)
    abar = torch.tensor([0.9, 0.5, 0.1])
    shaped = abar.view(-1, 1, 1)
    x_t = shaped.sqrt() * clean + (1 - shaped).sqrt() * noise
    light = ((clean + 1.0) / 0.5).repeat_interleave(2, 1).repeat_interleave(2, 2)
    predicted = odu.decode(light, x_t, abar, 1)
    assert torch.allclose(predicted, noise, atol=1e-5)
    assert float(odu.loss(light, clean, noise, 1).detach()) < 1e-10


def test_epsilon_prediction_is_standardised() -> None:
    torch.manual_seed(0)
    odu = OpticalDenoisingUnit(1, 1, (8, 8), (4, 4), prediction="epsilon")
    predicted = odu.decode(torch.rand(2, 8, 8), torch.zeros(2, 4, 4), torch.ones(2), 0)
    assert torch.allclose(predicted.mean((1, 2)), torch.zeros(2), atol=1e-5)
    assert torch.allclose(predicted.std((1, 2)), torch.ones(2), atol=1e-4)


def test_an_image_that_does_not_divide_the_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="3x3 does not divide"):
        OpticalDenoisingUnit(1, 1, (10, 10), (3, 3))


def test_discrepancy_ignores_scale_and_offset() -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 9, 9)
    assert torch.allclose(discrepancy(3.0 * image + 1.0, image), torch.zeros(2), atol=1e-5)
    assert torch.allclose(discrepancy(-image, image), 2.0 * torch.ones(2), atol=1e-5)


def test_matching_gives_the_bench_the_twins_mean_prediction() -> None:
    torch.manual_seed(0)
    odu = OpticalDenoisingUnit(2, 1, (8, 8), (4, 4))
    modelled = torch.rand(5, 8, 8)
    pattern = torch.rand(8, 8)
    before = odu.clean(modelled, 1).detach()
    odu.match(modelled + pattern, modelled, 1)
    after = odu.clean(modelled + pattern, 1).detach()
    assert torch.allclose(after, before, atol=1e-5)
    assert torch.equal(odu.decode_offset[0], torch.full((4, 4), -1.0))


def test_a_layer_set_starts_from_another_one() -> None:
    torch.manual_seed(0)
    odu = OpticalDenoisingUnit(2, 1, (8, 8), (4, 4))
    with torch.no_grad():
        for values in odu.parameters():
            values[0] = torch.rand(values[0].shape)
    odu.start_from(1, 0)
    assert all(torch.equal(values[1], values[0]) for values in odu.parameters())
