"""What every reader returns, and the checks that arrays from files go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labdiff.errors import UserError

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Grey of red, green and blue (ITU-R BT.601), as Pillow's."""


@dataclass(frozen=True, slots=True)
class RawImages:
    """Grey images (count, H, W), bytes or 0 ... 1, and their class numbers (count,).

    test, test_labels: the source's own test images, if it has any.
    class_names: by class number; empty if the source does not tell.
    """

    images: Grey
    labels: Labels
    test: Grey | None = None
    test_labels: Labels | None = None
    class_names: tuple[str, ...] = ()


def grey_images(array: npt.NDArray[Any], where: str) -> Grey:
    """Images of an array (count, H, W), (count, H, W, 1 | 3 | 4) or (count, side * side).

    Bytes stay bytes; 16 bits and truth values are scaled to 0 ... 1, so are whole numbers up to 255.
    Raises UserError, with `where` in front, for any other shape or range.
    """
    if array.dtype.kind not in "buif":
        raise UserError(f"{where}: holds {array.dtype}, not numbers")
    if array.ndim == 2:
        side = round(array.shape[1] ** 0.5)
        if side * side != array.shape[1]:
            raise UserError(
                f"{where}: shape {array.shape}; {array.shape[1]} pixels a row make no square image"
            )
        array = array.reshape(len(array), side, side)
    if array.ndim == 4 and array.shape[-1] in (1, 3, 4):
        # A fourth channel is transparency.
        colour = array.astype(np.float32)
        grey = colour[..., 0] if array.shape[-1] == 1 else colour[..., :3] @ LUMA
        array = grey if array.dtype.kind == "f" else np.rint(grey).astype(array.dtype)
    if array.ndim != 3:
        raise UserError(
            f"{where}: shape {array.shape}; expected (count, height, width), (count, height, width, 3) "
            f"or (count, side * side)"
        )
    if array.size == 0:
        raise UserError(f"{where}: shape {array.shape}; there are no images")
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return array.astype(np.float32) / 65535.0
    low, high = float(array.min()), float(array.max())
    white = 255.0 if array.dtype.kind in "ui" else 1.0
    if not (low >= 0.0 and high <= white):  # also false for NaN
        raise UserError(
            f"{where}: {array.dtype} values from {low:g} to {high:g}; allowed are 0 ... {white:g}, "
            f"bytes, or 16 bits"
        )
    return array.astype(np.float32) / np.float32(white)


def class_numbers(array: npt.NDArray[Any], count: int, where: str) -> Labels:
    """Class numbers (count,). Raises UserError, with `where` in front, if they are none."""
    if array.shape != (count,) or array.dtype.kind not in "bui":
        raise UserError(
            f"{where}: {array.dtype} of shape {array.shape}; expected {count} whole numbers, "
            f"one for each image"
        )
    return array.astype(np.int64)
