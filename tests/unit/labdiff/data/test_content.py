from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from labdiff.data.image_set import load_images
from labdiff.errors import UserError


def shapes(count: int = 90, side: int = 12) -> npt.NDArray[np.float64]:
    """White bars on black, each at a place of its own, 0 ... 1."""
    images = np.zeros((count, side, side))
    for number, image in enumerate(images):
        image[:, 2 + number % (side - 4)] = 1.0
    return images


def save_pictures(folder: Path, images: npt.NDArray[np.generic]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03d}.png")


@pytest.mark.parametrize(
    ("dtype", "white", "likely"),
    [
        (np.uint8, 1, 1),
        (np.uint8, 16, 16),
        (np.uint16, 255, 255),
        (np.uint16, 1000, 1023),
        (np.uint16, 3960, 4095),
        (np.int64, 1, 1),
        (np.int16, 4095, 4095),
    ],
)
def test_counts_far_below_white_are_refused_with_the_option_that_helps(
    tmp_path: Path, dtype: type[np.generic], white: int, likely: int
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=(shapes() * white).astype(dtype), labels=np.arange(90) % 2)
    with pytest.raises(UserError, match=rf"--white {likely}\b"):
        load_images(str(path), 12)
    images = load_images(str(path), 12, white=likely)
    assert float(images.train.max()) == pytest.approx(2.0 * white / likely - 1.0, abs=1e-6)
    assert "45 images" not in images.content and "26 images, 0% to" in images.content


def test_sixteen_bit_pictures_of_a_twelve_bit_camera_are_refused(tmp_path: Path) -> None:
    save_pictures(tmp_path / "set", (shapes() * 3900 + 60).astype(np.uint16))
    with pytest.raises(UserError, match=r"6.0% of white, less than a tenth.*--white 4095"):
        load_images(str(tmp_path / "set"), 12)
    images = load_images(str(tmp_path / "set"), 12, white=4095)
    assert float(images.train.max()) == pytest.approx(2 * 3960 / 4095 - 1, abs=1e-4)
    with pytest.raises(UserError, match=r"values from 60 to 3960; allowed are 0 ... 1023"):
        load_images(str(tmp_path / "set"), 12, white=1023)


def test_drawings_on_transparent_ground_are_laid_on_the_ground_asked_for(tmp_path: Path) -> None:
    ink = np.zeros((90, 12, 12, 4), np.uint8)
    ink[..., 3] = shapes() * 255
    save_pictures(tmp_path / "black_ink", ink)
    images = load_images(str(tmp_path / "black_ink"), 12)
    assert float(images.train.min()) == -1.0 and float(images.train.mean()) > 0.5
    with pytest.raises(UserError, match=r"26 images is constant.*--background black or white"):
        load_images(str(tmp_path / "black_ink"), 12, background="black")


def test_a_set_without_variance_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.full((90, 12, 12), 128, np.uint8))
    with pytest.raises(UserError, match="every one of its 26 images is constant"):
        load_images(str(tmp_path / "flat.npy"), 12)


def test_the_content_is_one_line_with_range_spread_and_classes(tmp_path: Path) -> None:
    mixed = (shapes() * 255).astype(np.uint8)
    mixed[::2] = 7
    np.savez(
        tmp_path / "mine.npz", x_train=mixed, y_train=np.where(np.arange(90) % 2, "bar", "flat")
    )
    content = load_images(str(tmp_path / "mine.npz"), 12).content
    assert "\n" not in content
    for part in ("26 images", "% of white", "standard deviation", "% constant", "bar: ", "flat: "):
        assert part in content


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((48, 64, 3), r"reads as one colour picture, \(height, width, channels\)"),
        ((20, 20, 90), r"reads as \(height, width, count\).*np.moveaxis\(array, -1, 0\)"),
    ],
)
def test_arrays_of_another_layout_are_refused_with_the_shape_as_understood(
    tmp_path: Path, shape: tuple[int, ...], message: str
) -> None:
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    with pytest.raises(UserError, match=message):
        load_images(str(tmp_path / "mine.npy"), 12)
