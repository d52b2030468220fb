"""What a hologram is to show: read, resized, placed; and refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.types import Roi
from labdiff.errors import UserError
from labdiff.holograms.options import HologramOptions
from labdiff.holograms.target import (
    SPOT_RADIUS_PX,
    HologramSpots,
    picture,
    region_of,
    spot_grid,
    spot_list,
    spot_masks,
    target_of,
)

PLANE = (40, 48)
REGION = Roi(4, 6, 32, 36)


def test_a_picture_is_read_and_resized_into_its_region(tmp_path: Path) -> None:
    grey = np.zeros((64, 128), np.uint8)
    grey[:, 64:] = 200
    Image.fromarray(grey).save(tmp_path / "half.png")
    target = target_of(str(tmp_path / "half.png"), PLANE, REGION)
    # Twice as wide as high: 36 x 18 in the middle of the region; the largest grey is 1.
    rows, columns = np.nonzero(target.image)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (11, 28, 24, 41)
    assert target.image.max() == 1.0
    np.save(tmp_path / "half.npy", grey.astype(float))
    stored = target_of(tmp_path / "half.npy", PLANE, REGION)
    np.testing.assert_allclose(stored.image, target.image, atol=1e-6)
    np.testing.assert_allclose(target_of(grey, PLANE, REGION).image, target.image, atol=1e-6)


def test_making_an_image_smaller_keeps_its_light() -> None:
    grey = np.random.default_rng(0).uniform(0.2, 1.0, (64, 64))
    inside = picture(grey, PLANE, Roi(4, 8, 32, 32)).wanted
    blocks = grey.reshape(32, 2, 32, 2).mean((1, 3))
    np.testing.assert_allclose(inside, blocks / blocks.max(), rtol=1e-5)


def test_a_grid_fills_its_region_with_equal_spots() -> None:
    target = spot_grid("4x6", PLANE, REGION)
    assert target.spots is not None and target.spots.shape == (24, 3)
    x, y = target.spots[:, 0], target.spots[:, 1]
    assert len(np.unique(x)) == 6 and len(np.unique(y)) == 4
    assert np.ptp(np.diff(np.unique(x))) <= 1.0
    square = spot_grid("36", PLANE, REGION).spots
    assert square is not None and len(np.unique(square[:, 0])) == 6


def test_spots_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spots.txt"
    path.write_text("# x y weight\n10 12\n20, 12, 2.5\n\n30 30 0.5  # the last\n")
    target = target_of(HologramSpots(path), PLANE, REGION)
    assert target.spots is not None
    np.testing.assert_array_equal(target.spots, [[10, 12, 1], [20, 12, 2.5], [30, 30, 0.5]])
    assert target.image[12, 20] == 1.0 and target.image[12, 10] == pytest.approx(0.4)
    masks = spot_masks(target.spots, PLANE)
    assert masks.sum() == 27 and masks.sum(0).max() == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 0, 41, 10), "region 0 0 41 10 .*lies beyond the output plane, .* 40 x 48"),
        ((-1, 0, 4, 4), "lies beyond the output plane"),
        ((0, 45, 4, 4), "lies beyond the output plane"),
        ((0, 0, 0, 4), "lies beyond the output plane"),
        ((1, 2, 3), "3 numbers; needs top, left, height, width"),
    ],
)
def test_a_region_beyond_the_plane_is_refused(given: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        region_of(given, PLANE)


def test_without_a_region_it_is_the_middle_three_quarters() -> None:
    assert region_of(None, PLANE) == Roi(5, 6, 30, 36)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.png: no such file; expected an image"):
        target_of(str(tmp_path / "none.png"), PLANE, REGION)
    text = tmp_path / "text.txt"
    text.write_text("no image")
    with pytest.raises(UserError, match=r"text\.txt: is no image; allowed are \.npy and \.png"):
        target_of(text, PLANE, REGION)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"broken\.png: cannot be read.*expected an image"):
        target_of(broken, PLANE, REGION)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "black.png")
    with pytest.raises(UserError, match=r"black\.png: is black"):
        target_of(tmp_path / "black.png", PLANE, REGION)
    np.save(tmp_path / "cube.npy", np.ones((2, 3, 4)))
    with pytest.raises(UserError, match=r"cube\.npy: needs one array \(height, width\)"):
        target_of(tmp_path / "cube.npy", PLANE, REGION)
    with pytest.raises(UserError, match="no intensities; allowed are numbers from 0"):
        target_of(np.array([[1.0, -0.1]]), PLANE, REGION)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("many", "spots 'many': allowed are a number of spots, as 100, or 8x12"),
        (0, "spots '0': allowed"),
        ("30x30", "900 spots are .* pixels apart; at least 3 are needed"),
        ([[10, 12], [11, 13]], "2 spots are 1.4 pixels apart"),
        ([[2, 12]], r"x = 2, y = 12 lies outside of the region, x 6 ... 41, y 4 ... 35"),
        ([[10, 12, 0]], "has the weight 0"),
        ([[10.0]], r"shape \(1, 1\); spots are \(K, 2\) or \(K, 3\)"),
    ],
)
def test_spots_that_cannot_be_are_refused(
    what: int | str | list[list[float]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        target_of(HologramSpots(what), PLANE, REGION)


def test_a_line_that_is_no_spot_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spots.txt"
    path.write_text("10 12\n10 twelve\n")
    with pytest.raises(UserError, match=r"spots\.txt, line 2: '10 twelve'; needs x y \[weight\]"):
        target_of(HologramSpots(path), PLANE, REGION)
    path.write_text("# none\n")
    with pytest.raises(UserError, match="0 spots; allowed are 1"):
        target_of(HologramSpots(path), PLANE, REGION)


def test_spots_count_light_within_their_radius() -> None:
    spots = spot_list(np.array([[10.5, 12.0]]), PLANE, REGION).spots
    assert spots is not None
    rows, columns = np.nonzero(spot_masks(spots, PLANE)[0])
    assert np.hypot(rows - 12.0, columns - 10.5).max() <= SPOT_RADIUS_PX


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (HologramOptions(frames=0), "frames = 0: allowed are 1"),
        (HologramOptions(steps=0), "steps = 0"),
        (HologramOptions(rate_rad=0.0), "rate = 0"),
        (HologramOptions(smoothness=-1.0), "smoothness = -1"),
    ],
)
def test_options_out_of_range_are_refused(options: HologramOptions, message: str) -> None:
    with pytest.raises(UserError, match=message):
        options.check()
