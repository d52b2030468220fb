"""From light to numbers: one for each pixel of an image."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

Detection = Literal["cells", "differential"]


def detected(intensity: Tensor, image_shape: tuple[int, int], detection: Detection) -> Tensor:
    """Return a number for each pixel of an image, (B, H, W).

    "cells": the mean over each pixel's cell, never negative.
    "differential": the mean over the cell's left half less that over its right half (a column in the
    middle that belongs to neither is left out), which has a sign as noise and corrections have: a pair
    of detectors for each number, as in Li et al., Adv. Photonics 1, 046001 (2019).

    Args:
        intensity: (B, h, w).
        image_shape: (H, W).
        detection: "cells" or "differential".
    """
    rows, columns = image_shape
    height, width = intensity.shape[-2] // rows, intensity.shape[-1] // columns
    cells = intensity.reshape(-1, rows, height, columns, width)
    if detection == "cells":
        return cells.mean((2, 4))
    half = width // 2
    return cells[..., :half].mean((2, 4)) - cells[..., width - half :].mean((2, 4))
