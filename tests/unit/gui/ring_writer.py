"""Writes frames into a ring from a process of its own, for the ring's tests."""

from __future__ import annotations

import os

import numpy as np

from drivers.types import Frame, Roi
from gui.process.frame_ring import FrameRing


def frame_of(number: int, roi: Roi, dtype: type = np.uint16) -> Frame:
    """Every pixel, and every word about it, says the same number, so that a torn frame shows."""
    pixels = np.full(roi.shape, number % 251, dtype)
    pattern = None if number % 2 else number
    return Frame(pixels, 0.5 * number, 0.25 * number, number, pattern, 1.0 / number, roi)


def write(name: str, roi: Roi, count: int, die_within: bool = False) -> None:
    """Put `count` frames; with die_within die in the middle of one more, as a killed process does."""
    ring = FrameRing.attach(name)
    for number in range(1, count + 1):
        ring.put(frame_of(number, roi))
    if die_within:
        number = count + 1
        ring._note(number)["begun"] = number
        ring._pixels(number, roi.shape, np.dtype(np.uint16))[: roi.height // 2] = 9999
        os._exit(9)
    ring.close()
