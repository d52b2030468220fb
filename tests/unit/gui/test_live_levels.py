from __future__ import annotations

import numpy as np
import pytest

from gui.live.levels import (
    COLOUR_MAPS,
    GREY,
    ColourTable,
    LevelMode,
    Levels,
    colours,
    levels_of,
    standing_out,
)
from gui.live.statistics import statistics_of

RED = 0xFF0000
FIXED = Levels(10, 200)


def painted(pixels: np.ndarray, table: ColourTable, saturated: bool = True) -> np.ndarray:
    """(h, w) 0xRRGGBB, as Qt will paint it."""
    entries = np.array(table.entries(pixels.dtype))
    return entries[table.bytes_of(pixels, saturated)] & 0xFFFFFF


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "levels", [Levels(0, 255), Levels(7, 8), Levels(100, 3000), Levels(0, 65535)]
)
def test_counts_are_painted_linearly_between_the_levels(dtype: type, levels: Levels) -> None:
    most = np.iinfo(dtype).max
    pixels = np.unique(np.linspace(0, most, 5000).astype(dtype))[None, :]
    grey = painted(pixels, ColourTable(levels, colours(GREY), None, RED)) & 0xFF
    ideal = 255.0 * np.clip((pixels.astype(float) - levels.low) / (levels.high - levels.low), 0, 1)
    # One step of at least 127 that the levels span, and rounding.
    assert np.abs(grey - ideal).max() <= 255 / 127 + 1
    assert (np.diff(grey[0]) >= 0).all()


@pytest.mark.parametrize(
    ("dtype", "saturation"), [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 4095 * 16)]
)
def test_saturated_pixels_and_no_others_have_their_colour(dtype: type, saturation: int) -> None:
    pixels = np.random.default_rng(0).integers(0, saturation + 1, (60, 80)).astype(dtype)
    pixels[::7, ::9] = saturation
    table = ColourTable(Levels(0, saturation), colours(GREY), saturation, RED)
    np.testing.assert_array_equal(painted(pixels, table) == RED, pixels >= saturation)


def test_levels_beyond_the_counts_do_not_wrap() -> None:
    pixels = np.array([[0, 300, 65535]], np.uint16)
    grey = painted(pixels, ColourTable(Levels(65535, 70000), colours(GREY), None, RED)) & 0xFF
    assert grey[0, 0] == grey[0, 1] == 0


def test_the_modes_give_what_they_say() -> None:
    pixels = np.random.default_rng(1).integers(100, 1000, (300, 400)).astype(np.uint16)
    pixels[5, 6], pixels[7, 8] = 3, 4000
    found = statistics_of(pixels)
    assert levels_of(LevelMode.FIXED, FIXED, (1, 99), found) == FIXED
    assert levels_of(LevelMode.MIN_MAX, FIXED, (1, 99), found) == Levels(3, 4000)
    levels = levels_of(LevelMode.PERCENTILE, FIXED, (1.0, 99.0), found)
    expected = np.percentile(pixels, [1.0, 99.0])
    assert [levels.low, levels.high] == pytest.approx(expected, abs=8)


@pytest.mark.parametrize("mode", list(LevelMode))
def test_frames_without_pixels_or_contrast_have_levels_too(mode: LevelMode) -> None:
    for pixels in (np.zeros((0, 0), np.uint16), np.full((9, 9), 65535, np.uint16)):
        levels = levels_of(mode, FIXED, (0.0, 100.0), statistics_of(pixels))
        assert levels.high > levels.low


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_every_colour_map_has_256_colours_and_saturation_stands_out(name: str) -> None:
    chosen = colours(name)
    assert chosen.shape == (256, 3)
    best = standing_out(chosen, [0xFF3B6B, 0x59C2FF, 0x7FD962])
    rgb = np.array([best >> 16, best >> 8 & 255, best & 255])
    assert np.linalg.norm(chosen.astype(float) - rgb, axis=1).min() > 40.0


def test_the_histogram_counts_every_pixel_of_the_sample() -> None:
    pixels = np.random.default_rng(2).integers(0, 4096, (100, 120)).astype(np.uint16)
    found = statistics_of(pixels)
    np.testing.assert_array_equal(found.histogram, np.bincount(pixels.ravel()))
    edges, counts = found.binned(256, 4095)
    assert counts.sum() == pixels.size
    np.testing.assert_array_equal(counts, np.histogram(pixels, bins=edges)[0])
