"""Input fields of a DMD: patterns of all its mirrors, and pictures and arrays from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from gui.slm_patterns.pattern_file import PICTURES
from labdiff.errors import UserError, reading

Field = npt.NDArray[np.float32]
INPUT_FILTER = f"Pictures and arrays (*.npy {' '.join(f'*{ending}' for ending in PICTURES)})"
"""Files that a dialog offers."""


def uniform(shape: tuple[int, int], amplitude: float) -> Field:
    """Return a field of one amplitude: 1 for all mirrors on, 0 for all off."""
    return np.full(shape, amplitude, np.float32)


def checker(shape: tuple[int, int], cell_px: int) -> Field:
    """Return squares of `cell_px` pixels that are on and off in turn; the first one is on."""
    rows, columns = (np.arange(length) // cell_px for length in shape)
    return ((rows[:, None] + columns[None] + 1) % 2).astype(np.float32)


def load_input(path: Path, shape: tuple[int, int]) -> Field:
    """Return a file's field.

    Args:
        path: .npy of amplitudes 0 ... 1 in the DMD's shape, or a picture, black 0 and white 1, which is
            fitted into the DMD's shape; what is beside it is off.
        shape: (height, width) of the DMD's field.

    Raises:
        UserError: If it is no such file.
    """
    kind = path.suffix.lower()
    if kind not in (".npy", *PICTURES):
        raise UserError(f"{path}: allowed are .npy (0 ... 1) and {', '.join(PICTURES)} (grey)")
    with reading(path, "an input field"):
        return _from_npy(path, shape) if kind == ".npy" else _from_picture(path, shape)


def _from_npy(path: Path, shape: tuple[int, int]) -> Field:
    field = np.load(path, allow_pickle=False)
    if field.shape != shape or field.dtype.kind not in "fiub":
        found = f"{field.dtype} {field.shape}"
        raise UserError(f"{path}: {found}; the DMD takes numbers of shape {shape}")
    values: Field = field.astype(np.float32)
    if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
        raise UserError(f"{path}: amplitudes beyond 0 ... 1, which is all that a DMD can show")
    return values


def _from_picture(path: Path, shape: tuple[int, int]) -> Field:
    height, width = shape
    field = np.zeros(shape, np.float32)
    with Image.open(path) as picture:
        grey = picture.convert("L")
        grey.thumbnail((width, height))
        pixels = np.asarray(grey, np.float32) / 255.0
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    field[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return field
