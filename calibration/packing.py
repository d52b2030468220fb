"""Where the bits sit in a word: 12 bits come right-justified, or in the upper end of 16."""

from __future__ import annotations

import numpy as np

from drivers.camera.wrapper import CameraWrapper
from drivers.protocols import Camera
from drivers.types import CountArray, Frame

LEAST_VALUES = 5
"""Fewer different counts than this do not tell how far two counts are apart."""


def packing_step(pixels: CountArray, bit_depth: int) -> int:
    """Return the distance of two neighbouring counts: 1, or 2**k if the lowest k bits never change."""
    values = np.unique(pixels)
    if len(values) < LEAST_VALUES:
        return 1
    apart = int(np.gcd.reduce(np.diff(values.astype(np.int64))))
    step = apart & -apart
    return min(step, 1 << (16 - bit_depth))


class RightJustified(CameraWrapper):
    """A camera whose counts come in steps: the same frames in counts of one. step: 1 leaves them."""

    def __init__(self, camera: Camera, step: int = 1) -> None:
        super().__init__(camera)
        self.step = step

    def converted(self, frame: Frame) -> Frame:
        """Return the frame in counts of one."""
        if self.step == 1:
            return frame
        pixels = frame.pixels // np.uint16(self.step)
        saturated = float((pixels >= 2**self.bit_depth - 1).mean())
        return Frame(
            pixels,
            frame.exposure_ms,
            frame.timestamp_s,
            frame.sequence,
            frame.pattern_id,
            saturated,
            frame.roi,
        )
