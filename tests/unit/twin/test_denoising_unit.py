"""Images in, noise out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from twin.denoising_unit import (
    PLAIN_DESIGN,
    REST_RAD,
    SPAN_RAD,
    ImageStatistics,
    OpticalDenoisingUnit,
)
from twin.discrepancy import discrepancy


def test_a_cell_holds_one_pixel_in_the_modulators_range() -> None:
    image = torch.tensor([[[-9.0, 9.0], [0.0, 0.0]]])
    written, _ = OpticalDenoisingUnit(1, 1, (4, 4), (2, 2)).encode(image, 0)
    assert written.shape == (1, 4, 4)
    assert float(written[0, 1, 1].detach()) == 0.0
    assert float(written[0, 0, 2].detach()) == pytest.approx(SPAN_RAD)
    dmd, _ = OpticalDenoisingUnit(
        1, 1, (4, 4), (2, 2), replace(PLAIN_DESIGN, input_kind="dmd")
    ).encode(image, 0)
    assert float(dmd.detach().max()) == 1.0


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
    assert float(odu.loss(light, x_t, abar, clean, noise, 1).detach()) < 1e-10


def test_epsilon_prediction_is_standardised() -> None:
    torch.manual_seed(0)
    odu = OpticalDenoisingUnit(1, 1, (8, 8), (4, 4), replace(PLAIN_DESIGN, prediction="epsilon"))
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
    before = odu.output(modelled, 1).detach()
    odu.match(modelled + pattern, modelled, 1)
    after = odu.output(modelled + pattern, 1).detach()
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


def test_data_layers_carry_the_image_by_their_gain() -> None:
    odu = OpticalDenoisingUnit(1, 3, (4, 4), (2, 2), replace(PLAIN_DESIGN, data_layers=True))
    with torch.no_grad():
        odu.data_gain[0] = torch.tensor([0.0, 1.0, -2.0])
    image = torch.tensor([[[3.0, -3.0], [0.0, 1.5]], [[0.0, 0.0], [0.0, 0.0]]])
    _, layers = odu.encode(image, 0)
    assert layers.shape == (2, 3, 4, 4)
    turns = (layers[0].detach() - REST_RAD) / math.pi
    assert torch.allclose(turns[0], torch.zeros(4, 4))
    assert turns[1, ::2, ::2].flatten().tolist() == pytest.approx([1.0, -1.0, 0.0, 0.5])
    assert turns[2, ::2, ::2].flatten().tolist() == pytest.approx([-2.0, 2.0, 0.0, -1.0])
    assert torch.allclose(layers[1], torch.full((3, 4, 4), REST_RAD))


def test_differential_detection_has_a_sign_and_leaves_out_common_light() -> None:
    odu = OpticalDenoisingUnit(
        1, 1, (6, 6), (2, 2), replace(PLAIN_DESIGN, detection="differential")
    )
    light = torch.zeros(1, 6, 6)
    light[0, :3, 0] = 3.0  # left column of the first cell
    light[0, 3:, 5] = 6.0  # right column of the last
    assert odu.detected(light + 7.0, 0)[0].tolist() == [[3.0, 0.0], [0.0, -6.0]]
    with pytest.raises(ValueError, match="two pixels' width"):
        OpticalDenoisingUnit(1, 1, (4, 4), (4, 4), replace(PLAIN_DESIGN, detection="differential"))


def test_preconditioning_is_the_best_guess_for_independent_gaussian_pixels() -> None:
    """With F = 0: the posterior mean of a pixel of known mean and deviation."""
    torch.manual_seed(0)
    mean, deviation = -0.2, 0.1
    design = replace(PLAIN_DESIGN, prediction="preconditioned", detection="differential")
    statistics = ImageStatistics(mean, deviation)
    odu = OpticalDenoisingUnit(1, 1, (8, 8), (4, 4), design, statistics)
    count = 20_000
    clean = mean + deviation * torch.randn(count, 4, 4)
    abar = torch.full((count,), 0.95)
    x_t = 0.95**0.5 * clean + 0.05**0.5 * torch.randn(count, 4, 4)
    found = odu.clean(torch.zeros(count, 8, 8), x_t, abar, 0).detach()
    # Regression of the truth on the guess has slope one and no offset, and c_out is what is left.
    slope = float(((found - mean) * (clean - mean)).mean() / (found - mean).square().mean())
    assert slope == pytest.approx(1.0, abs=0.02)
    left = (
        float((found - clean).square().mean())
        / float(odu._preconditioned(x_t[:1], abar[:1], 0)[1]) ** 2
    )
    assert left == pytest.approx(1.0, abs=0.02)


def test_darker_than_black_is_black() -> None:
    odu = OpticalDenoisingUnit(1, 1, (4, 4), (2, 2))
    black, abar = torch.full((1, 2, 2), -1.0), torch.tensor([0.5])
    with torch.no_grad():
        odu.decode_offset.fill_(-1.5)
    light = torch.zeros(1, 4, 4)
    assert float(odu.loss(light, black, abar, black, black, 0).detach()) < 1e-4
    noise = odu.decode(light, black, abar, 0).detach()
    assert torch.allclose((black - 0.5**0.5 * noise) / 0.5**0.5, black)
