"""What every reader of images returns, and how its pixels are to be understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Background = Literal["white", "black"]

OPAQUE_ON: Background = "white"
"""What transparent pixels are laid on where nothing else is asked for."""
MOST_BYTES = 1 << 30
"""Largest array or picture, in bytes, that is read from a file; sizes are checked before reading."""
MOST_CLASS_NUMBER = 9999
"""Largest class number that is taken as one; dates and identifiers are larger."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How pixels of files are to be understood.

    Attributes:
        size: side of the images, in cells; pictures of any size come out at `size` x `size`.
        white: count that means white; None for the largest that the file's type can hold.
        background: what transparent pixels are laid on.
        within: folder inside a zip that is meant, as "train/cat"; all of it if empty.
    """

    size: int
    white: int | None = None
    background: Background = OPAQUE_ON
    within: str = ""


@dataclass(frozen=True, slots=True)
class RawImages:
    """Grey images of a source and their classes.

    Attributes:
        images: (count, H, W) counts or shares of white.
        labels: (count,) class numbers.
        test: (count, H, W) the source's own test images, if it has any.
        test_labels: (count,) their class numbers.
        class_names: by class number; empty if the source does not name classes.
        white: value of `images` and `test` that means white.
        full_scale: count of the source that was taken as white; None where it holds no counts.
        notes: sentences about what was left aside or how the source was understood.
    """

    images: Grey
    labels: Labels
    test: Grey | None = None
    test_labels: Labels | None = None
    class_names: tuple[str, ...] = ()
    white: float = 255.0
    full_scale: int | None = 255
    notes: tuple[str, ...] = ()
