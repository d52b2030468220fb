"""Decode one picture file to a grey square."""

from __future__ import annotations

import warnings
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

from labdiff.data.readers.raw import MOST_BYTES, Background, ReadOptions
from labdiff.errors import UserError, reading

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm")
"""Endings of the picture files that are read."""
ORIENTATION = 0x0112
"""EXIF tag of the camera's orientation; nothing else of EXIF is read."""
TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
"""What makes a picture of each orientation upright."""


def read_picture(
    file: IO[bytes], where: str, options: ReadOptions
) -> tuple[npt.NDArray[np.float32], int | None]:
    """Return the middle square of a picture, (size, size), 255 = white; the first of an animation.

    Args:
        file: opened picture file.
        where: its name, for messages.
        options: the side, and how pixels are understood.

    Returns:
        The pixels, and the count of the file that was taken as white; None where it holds floats.

    Raises:
        UserError: if it cannot be read, is too large, or has counts beyond white.
    """
    with reading(f"{where}: not a readable image", "a picture"), warnings.catch_warnings():
        # Pillow warns of damaged blocks that the pixels do not need, and of sizes that are checked here.
        warnings.simplefilter("ignore")
        with Image.open(file) as image:
            return _square(image, where, options)


def _square(
    image: Image.Image, where: str, options: ReadOptions
) -> tuple[npt.NDArray[np.float32], int | None]:
    """Return the middle square of an opened picture, and the count that was taken as white."""
    width, height = image.size
    if width * height * 4 > MOST_BYTES:
        raise UserError(
            f"{where}: {width} x {height} pixels; more than {MOST_BYTES // 4:,} are not read; "
            "make it smaller first"
        )
    # A JPEG is decoded at a fraction of its size, here at least twice what is needed.
    image.draft("L", (2 * options.size, 2 * options.size))
    upright = _upright(image)
    square, full_scale = _grey(upright.crop(_middle(upright.size)), where, options)
    return _resized(square, options.size), full_scale


def _upright(image: Image.Image) -> Image.Image:
    """Return the picture as the camera was held; a damaged EXIF block is ignored."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # whatever a parser raises about a block that pixels do not need
        orientation = 1
    for turn in TURNS.get(orientation, ()):
        image = image.transpose(turn)
    return image


def _middle(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the largest square in the middle of (width, height)."""
    side = min(size)
    left, top = ((length - side) // 2 for length in size)
    return left, top, left + side, top + side


def _grey(
    image: Image.Image, where: str, options: ReadOptions
) -> tuple[npt.NDArray[np.float32], int | None]:
    """Return the picture's grey levels, 255 = white, and the count that was taken as white."""
    if image.mode == "F":
        levels, full = np.asarray(image, np.float32), 1.0
    elif image.mode.startswith("I"):
        # Pillow converts 16 bits by clipping at 255 instead of scaling.
        levels, full = np.asarray(image).astype(np.float32), 65535.0
    else:
        levels = np.asarray(_opaque(image, options.background).convert("L"), np.float32)
        full = 255.0
    # Pillow hands the white of two levels out as 255, whatever the file counts.
    fixed = options.white is None or image.mode in ("F", "1")
    white = full if fixed else float(options.white or full)
    low, high = float(levels.min()), float(levels.max())
    if not (low >= 0.0 and high <= white):  # also false for NaN
        raise UserError(f"{where}: values from {low:g} to {high:g}; allowed are 0 ... {white:g}")
    scaled = levels if white == 255.0 else levels * np.float32(255.0 / white)
    return scaled, None if image.mode == "F" else int(white)


def _opaque(image: Image.Image, background: Background) -> Image.Image:
    """Return the picture with its transparent parts laid on the background."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    picture = image.convert("RGBA")
    behind = Image.new("RGBA", picture.size, background)
    return Image.alpha_composite(behind, picture)


def _resized(square: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Return the square at (size, size), bilinear, antialiased when it shrinks."""
    image = Image.fromarray(square)  # mode F
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), np.float32)
