"""Scale and offset of frames: a line through each, and the scale by the mean."""

from __future__ import annotations

import torch

from twin.frame_light import brightness, frame_light


def test_scale_and_offset_of_each_frame_are_found() -> None:
    rng = torch.Generator().manual_seed(0)
    modelled = torch.rand(3, 8, 9, generator=rng)
    scale, offset = torch.tensor([1.0, 0.8, 1.3]), torch.tensor([0.2, 0.2, 0.2])
    light = frame_light(scale[:, None, None] * modelled + offset[:, None, None], modelled)
    torch.testing.assert_close(light.scale.float(), scale)
    torch.testing.assert_close(light.offset.float(), offset)
    torch.testing.assert_close(light.ratio.float(), scale)


def test_a_frame_of_nothing_has_no_scale_and_no_fault() -> None:
    light = frame_light(torch.ones(1, 4, 4), torch.zeros(1, 4, 4))
    assert float(light.scale) == 0.0
    assert float(light.offset) == 1.0


def test_brightness_goes_with_the_light() -> None:
    images = torch.rand(2, 20, 20, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(brightness(3.0 * images), 3.0 * brightness(images))
