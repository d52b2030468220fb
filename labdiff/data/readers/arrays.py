"""Understand arrays from files as grey images and class numbers, or refuse them in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.plain_text import plain_line
from labdiff.data.readers.raw import MOST_CLASS_NUMBER, Background, Grey, Labels
from labdiff.errors import UserError

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in a grey level (ITU-R BT.601), as Pillow's."""
CHANNELS = (1, 3, 4)
"""Numbers of colour channels: grey, RGB, RGB with transparency."""
SHAPES = "(count, height, width), (count, height, width, 3) or (count, side * side)"


@dataclass(frozen=True, slots=True)
class GreyImages:
    """Grey images of an array.

    Attributes:
        images: (count, H, W).
        white: value of `images` that means white.
        full_scale: count of the source that was taken as white; None where it holds no counts.
    """

    images: Grey
    white: float
    full_scale: int | None


def grey_images(
    array: npt.NDArray[Any],
    where: str,
    white: int | None = None,
    background: Background = "white",
) -> GreyImages:
    """Return an array as grey images, and what means white in them.

    Args:
        array: (count, H, W), (count, H, W, 1 | 3 | 4), (count, 1 | 3 | 4, H, W) or (count, side * side).
        where: file and key, for messages.
        white: count that means white; None for 255 of bytes and other whole numbers, 65535 of 16
            bits, 1 of floats and truth values.
        background: what transparent pixels of a fourth channel are laid on.

    Raises:
        UserError: for another shape, type or range; names the shape as understood.
    """
    if array.dtype.kind not in "buif":
        raise UserError(f"{where}: holds {array.dtype}, not numbers")
    array = _layout(array, where)
    if array.size == 0:
        raise UserError(f"{where}: shape {array.shape}; there are no images")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    full = _white_of(array.dtype)
    level = _checked_white(
        array, where, full if white is None or full == 1.0 else float(white), white
    )
    grey = _flattened(array, full if array.dtype.kind == "f" else level, background)
    counts = int(level) if array.dtype.kind in "ui" else None
    if grey.dtype in (np.uint8, np.uint16):
        return GreyImages(grey, level, counts)
    return GreyImages(grey.astype(np.float32) / np.float32(level), 1.0, counts)


def _layout(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Return the array as (count, H, W) or (count, H, W, channels)."""
    shape = array.shape
    if array.ndim == 2:
        side = math.isqrt(shape[1])
        if side * side != shape[1]:
            raise UserError(
                f"{where}: shape {shape}; {shape[1]} pixels a row make no square image; "
                f"expected {SHAPES}"
            )
        return array.reshape(len(array), side, side)
    if array.ndim == 4 and shape[-1] in CHANNELS:
        return array
    if array.ndim == 4 and shape[1] in CHANNELS:
        return np.moveaxis(array, 1, -1)
    if array.ndim != 3:
        raise UserError(f"{where}: shape {shape}; expected {SHAPES}")
    if shape[-1] in CHANNELS and min(shape[:2]) > 4:
        raise UserError(
            f"{where}: shape {shape} reads as one colour picture, (height, width, channels); "
            f"expected {SHAPES}; for one image write array[None]"
        )
    if shape[0] == shape[1] != shape[2]:
        raise UserError(
            f"{where}: shape {shape} reads as (height, width, count); expected {SHAPES}; "
            "write np.moveaxis(array, -1, 0)"
        )
    return array


def _white_of(dtype: np.dtype[Any]) -> float:
    """Return the value that means white if no other is given."""
    if dtype.kind in "bf":
        return 1.0
    return 65535.0 if dtype == np.uint16 else 255.0


def _checked_white(array: npt.NDArray[Any], where: str, level: float, asked: int | None) -> float:
    """Return the level that means white. Raises UserError if pixels lie outside 0 ... white."""
    if array.dtype.kind == "b" or (asked is None and array.dtype in (np.uint8, np.uint16)):
        return level
    low, high = float(array.min()), float(array.max())
    if low >= 0.0 and high <= level:  # also false for NaN
        return level
    remedy = ""
    if array.dtype.kind in "ui" and low >= 0.0:
        remedy = f"; if white is another count, say so: --white {likely_white(high)}"
    raise UserError(
        f"{where}: {array.dtype} values from {low:g} to {high:g}; allowed are 0 ... {level:g}, "
        f"bytes, or 16 bits{remedy}"
    )


def likely_white(high: float) -> int:
    """Return the count that is probably white: the next full scale of a whole number of bits."""
    bits = max(1, math.ceil(math.log2(max(high, 1.0) + 1.0)))
    return int(high) if bits < 8 else (1 << bits) - 1


def _flattened(array: npt.NDArray[Any], white: float, background: Background) -> npt.NDArray[Any]:
    """Return grey images (count, H, W) of images that may have colour and transparency."""
    if array.ndim == 3:
        return array
    channels = array.shape[-1]
    colour = array.astype(np.float32)
    grey = colour[..., 0] if channels == 1 else colour[..., :3] @ LUMA
    if channels == 4:
        opaque = colour[..., 3] / np.float32(white)
        behind = np.float32(white if background == "white" else 0.0)
        grey = grey * opaque + behind * (1.0 - opaque)
    return grey if array.dtype.kind == "f" else np.rint(grey).astype(array.dtype)


def class_numbers(
    array: npt.NDArray[Any], count: int, where: str
) -> tuple[Labels, tuple[str, ...]]:
    """Return class numbers, and the classes' names where the file has names in place of numbers.

    Args:
        array: (count,) or (count, 1) whole numbers, (count,) names, or (count, classes) of one 1 a row.
        count: number of images.
        where: file and key, for messages.

    Returns:
        (count,) class numbers, and names by class number or nothing.

    Raises:
        UserError: if they are neither, or numbers that are no class numbers.
    """
    if array.ndim == 2 and array.shape == (count, 1):
        array = array[:, 0]
    if array.ndim == 2 and len(array) == count and array.dtype.kind in "buif":
        one = (array == 1).sum(axis=1) == 1
        if bool((one & ((array != 0).sum(axis=1) == 1)).all()):
            array = np.argmax(array, axis=1)
    if array.shape == (count,) and array.dtype.kind in "US":
        names, numbers = np.unique(array.astype(str), return_inverse=True)
        return numbers.astype(np.int64), tuple(map(plain_line, names))
    whole = array.dtype.kind in "bui" or (
        array.dtype.kind == "f" and bool(np.isfinite(array).all() and (array % 1 == 0).all())
    )
    if array.shape != (count,) or not whole:
        raise UserError(
            f"{where}: {array.dtype} of shape {array.shape}; expected {count} whole numbers, "
            f"one for each image"
        )
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if low < 0 or high > MOST_CLASS_NUMBER:
        raise UserError(
            f"{where}: class numbers from {low} to {high}; allowed are 0 ... {MOST_CLASS_NUMBER}; "
            "number the classes from 0"
        )
    return array.astype(np.int64), ()
