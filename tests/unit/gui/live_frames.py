"""Frames for the live view's tests: each is known by its number."""

from __future__ import annotations

import numpy as np

from drivers.types import Frame, Roi
from gui.process.frame_ring import NumberedFrame

SENSOR = (120, 160)


def entry_of(
    number: int, roi: Roi | None = None, dtype: type = np.uint16, fraction: float = 0.0
) -> NumberedFrame:
    """A ramp along the columns that begins at the frame's number."""
    roi = Roi(10, 20, 40, 60) if roi is None else roi
    pixels = (number + np.add.outer(np.zeros(roi.height, int), np.arange(roi.width))).astype(dtype)
    pattern = None if number % 2 else 10 * number
    frame = Frame(pixels, 2.5, number / 30.0, 100 + number, pattern, fraction, roi)
    return NumberedFrame(number, frame)
