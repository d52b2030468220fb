"""Image and class prompt side by side on the input field."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from twin.denoising_unit import PLAIN_DESIGN, REST_RAD, SPAN_RAD, OpticalDenoisingUnit
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.input_layout import NO_PROMPT, InputLayout, Writing

WRITINGS: tuple[Writing, ...] = ("cells", "differential")


def test_without_prompts_every_pixel_fills_its_cell_of_the_whole_patch() -> None:
    image = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    field = InputLayout((12, 10), (4, 5)).field(image)
    assert torch.equal(field, torch.kron(image, torch.ones(3, 2)))


def test_a_known_field() -> None:
    """A patch of 4 x 5: cells of 2 x 1, and a strip of three columns with a block of two rows a class."""
    image = torch.tensor([[[0.1, 0.2], [0.3, 0.4]]])
    asked, unasked = InputLayout((4, 5), (2, 2), 2).field(
        image.repeat(2, 1, 1), torch.tensor([1, NO_PROMPT])
    )
    expected = torch.tensor(
        [
            [0.1, 0.2, -1.0, -1.0, -1.0],
            [0.1, 0.2, -1.0, -1.0, -1.0],
            [0.3, 0.4, 1.0, 1.0, 1.0],
            [0.3, 0.4, 1.0, 1.0, 1.0],
        ]
    )
    assert torch.equal(asked, expected)
    assert torch.equal(unasked[:, 2:], torch.full((4, 3), -1.0))
    assert torch.equal(unasked[:, :2], expected[:, :2])


@pytest.mark.parametrize(("shape", "side"), [((100, 100), 20), ((100, 100), 10), ((300, 302), 20)])
@pytest.mark.parametrize("prompts", [2, 3, 10])
def test_image_and_strip_share_the_patch_out(
    shape: tuple[int, int], side: int, prompts: int
) -> None:
    layout = InputLayout(shape, (side, side), prompts)
    image = torch.zeros(prompts, side, side)
    fields = layout.field(image, torch.arange(prompts))
    assert fields.shape == (prompts, *shape)
    cells, strip = fields[..., : layout.image_width], fields[..., layout.image_width :]
    assert not cells.any(), "the prompt does not reach into the image"
    assert strip.shape[-1] >= layout.cell[1]
    bright = (strip == 1.0).sum(0)
    assert torch.equal(bright, torch.ones_like(bright)), "blocks neither overlap nor leave a gap"
    heights = (strip[:, :, 0] == 1.0).sum(1)
    assert int(heights.max() - heights.min()) <= 1 and int(heights.min()) >= layout.cell[0]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="30x30 does not divide the patch of 100x100"):
        InputLayout((100, 100), (30, 30), 3)
    with pytest.raises(ValueError, match="leaves no room for a prompt"):
        InputLayout((100, 100), (100, 100), 3)
    with pytest.raises(ValueError, match="10 classes do not fit beside an image of 5 rows"):
        InputLayout((100, 100), (5, 5), 10)
    assert InputLayout.sizes_that_fit((12, 12)) == [2, 3, 4, 6, 12]
    assert InputLayout.sizes_that_fit((12, 12), 3) == [3, 4, 6]
    layout, image = InputLayout((4, 4), (2, 2), 2), torch.zeros(1, 2, 2)
    for block in (2, -2):
        with pytest.raises(ValueError, match="has 2 blocks"):
            layout.field(image, torch.tensor([block]))
    with pytest.raises(ValueError, match="has 0 blocks"):
        InputLayout((4, 4), (2, 2)).field(image, torch.tensor([0]))


def test_the_prompt_stands_on_the_modulators_and_is_not_read_back() -> None:
    unit = OpticalDenoisingUnit(
        1, 2, (4, 5), (2, 2), replace(PLAIN_DESIGN, data_layers=True, prompts=2)
    )
    inputs, layers = unit.encode(torch.zeros(1, 2, 2), 0, prompts=torch.tensor([0]))
    inputs, layers = inputs.detach(), layers.detach()
    assert torch.allclose(inputs[0, :2, 2:], torch.tensor(SPAN_RAD))
    assert torch.equal(inputs[0, 2:, 2:], torch.zeros(2, 3))
    turned = layers[0] - REST_RAD
    assert (turned[:, :2, 2:] > 0.0).all() and (turned[:, 2:, 2:] < 0.0).all()
    dmd = OpticalDenoisingUnit(
        1, 2, (4, 5), (2, 2), replace(PLAIN_DESIGN, input_kind="dmd", prompts=2)
    )
    mirrors = dmd.encode(torch.zeros(1, 2, 2), 0, prompts=torch.tensor([1]))[0].detach()
    assert torch.equal(mirrors[0, :, 2:], torch.tensor([[0.0], [0.0], [1.0], [1.0]]).expand(4, 3))

    light = torch.rand(1, 4, 5, generator=torch.Generator().manual_seed(0))
    beside = light.clone()
    beside[..., 2:] += 5.0
    assert torch.equal(unit.detected(light, 0), unit.detected(beside, 0))


def test_differential_writing_has_two_signs_side_by_side_and_no_mean() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 2, 2) + 0.5
    odd = InputLayout((2, 6), (2, 2), writing="differential").field(image)
    assert torch.equal(odd[0, 0, :3], image[0, 0, 0] * torch.tensor([1.0, 0.0, -1.0]))
    even = InputLayout((4, 8), (2, 2), writing="differential").field(image)
    assert torch.equal(even[0, 3, 4:], image[0, 1, 1] * torch.tensor([1.0, 1.0, -1.0, -1.0]))
    assert float(even.mean()) == 0.0
    strip = InputLayout((4, 9), (2, 2), 2, "differential").field(image, torch.tensor([1]))[0, :, 6:]
    assert torch.equal(strip, torch.tensor([-1.0, -1.0, 1.0, 1.0])[:, None].expand(4, 3))
    with pytest.raises(ValueError, match="differential writing needs cells of two pixels' width"):
        InputLayout((4, 4), (4, 4), writing="differential")
    assert InputLayout.sizes_that_fit((12, 12), writing="differential") == [2, 3, 4, 6]


def test_light_sees_how_bright_an_image_is_only_where_it_is_written_with_two_signs() -> None:
    geometry = TwinGeometry((40, 40), 1, 9.2e-6, 850e-9, 2e-3, 0.6e-3, "slm_patch")
    twin = DigitalTwin(geometry)
    seen = {}
    for writing in WRITINGS:
        unit = OpticalDenoisingUnit(
            1, 1, (40, 40), (10, 10), replace(PLAIN_DESIGN, data_layers=True, writing=writing)
        )
        with torch.no_grad():
            dark, bright = (
                twin(*unit.encode(torch.full((1, 10, 10), value), 0)) for value in (-0.5, 0.5)
            )
        seen[writing] = float((bright - dark).abs().mean() / dark.mean())
    assert seen["cells"] < 1e-4 < 0.05 < seen["differential"]
