"""Saturated pixels: how much of the light they hold, and that nothing is learnt from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from calibration.dark import DarkLevel
from calibration.layout import PatchLayout
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.types import Frame, Roi
from labdiff.bench.clipping import clipped_light, clipped_pixels
from labdiff.bench.intensity import IntensityConversion
from tests.support.small_bench import straight
from twin.discrepancy import discrepancy
from twin.frame_light import frame_light

Counts = npt.NDArray[np.integer]
ROI = Roi(0, 0, 24, 24)


def frame(pixels: Counts, saturated: float | None = None) -> Frame:
    pixels = pixels.astype(np.uint16)
    share = float(np.mean(pixels >= 4095)) if saturated is None else saturated
    return Frame(pixels, 1.0, 0.0, 1, None, share, ROI)


def focus() -> Counts:
    """Dark but for a focus of nine pixels, one in a hundred, and as much light around it."""
    pixels = np.full((24, 24), 80)
    pixels[10:13, 10:13] = 4095
    pixels[2:5, 2:14] = 80 + 9 * 4015 // 36
    return pixels


def test_few_saturated_pixels_may_hold_half_of_the_light() -> None:
    seen = frame(focus())
    assert seen.saturated_fraction < 0.02
    assert clipped_light(seen) == pytest.approx(0.5, abs=0.01)
    assert clipped_pixels(seen).sum() == 9


def test_the_brightest_pixel_of_a_frame_that_is_not_saturated_is_not_clipped() -> None:
    seen = frame(np.minimum(focus(), 4000))
    assert clipped_light(seen) == 0.0
    assert not clipped_pixels(seen).any()


def test_a_frame_that_is_saturated_all_over_has_nothing_but_clipped_light() -> None:
    assert clipped_light(frame(np.full((24, 24), 4095))) == 1.0


def conversion(hot: list[tuple[int, int]]) -> IntensityConversion:
    places = np.array(hot, np.int64).reshape(-1, 2)
    dark = DarkLevel(80.0, 0.1, 2.0, Verdict("pass", ""), places)
    layout = PatchLayout((24, 60), (16, 16), 4, (2, 22, 42), 9.2, 850.0, 4.0)
    rectifier = Rectifier(straight(layout, (24, 24), 0.5), ROI, layout.patch_shape)
    return IntensityConversion(dark, rectifier, None, 100.0)


def test_what_saturated_pixels_spoil_is_marked_on_the_plane_and_nothing_else() -> None:
    found = conversion([]).measurement([frame(focus()), frame(np.full((24, 24), 90))])
    assert found.clipped is not None
    assert found.clipped[0].any()
    assert not found.clipped[1].any()
    assert found.clipped[0].mean() < 0.15
    # The focus lies in the middle of the sensor, and so of the plane.
    assert found.clipped[0][7:9, 7:9].any()


def test_hot_pixels_are_mended_and_not_marked() -> None:
    pixels = np.full((24, 24), 90)
    pixels[11, 11] = 4095
    assert conversion([(11, 11)]).measurement([frame(pixels)]).clipped is None
    assert conversion([]).measurement([frame(pixels)]).clipped is not None


def test_discrepancy_and_light_do_not_count_saturated_pixels() -> None:
    rng = torch.Generator().manual_seed(0)
    modelled = torch.rand(2, 12, 12, generator=rng)
    measured = 0.8 * modelled + 0.1
    valid = modelled < 0.9
    clipped = torch.where(valid, measured, torch.tensor(0.5))
    assert float(discrepancy(clipped, modelled).min()) > 0.05
    torch.testing.assert_close(
        discrepancy(clipped, modelled, valid), torch.zeros(2), atol=1e-6, rtol=0.0
    )
    light = frame_light(clipped, modelled, valid)
    torch.testing.assert_close(light.scale.float(), torch.tensor([0.8, 0.8]))
    torch.testing.assert_close(light.offset.float(), torch.tensor([0.1, 0.1]))
