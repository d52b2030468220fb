"""Counts as the bench uses them: where the bits sit in a word, and at which count a pixel is saturated.

12 bits come right-justified, or in the upper end of 16.
"""

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
    """A camera whose counts come in steps, or end early: the same frames in counts of one.

    step: 1 leaves the counts. declared_level: count of one from which a pixel is saturated, by the bench
    file; 0: the largest of the bit depth. found_level: the same, as it was measured; 0: no other.
    """

    def __init__(self, camera: Camera, step: int = 1, declared_level: int = 0) -> None:
        super().__init__(camera)
        self.step, self.declared_level, self.found_level = step, declared_level, 0

    @property
    def declared_full_scale_counts(self) -> int:
        """Count from which a pixel is saturated, by the bench file."""
        largest: int = 2**self.bit_depth - 1
        return self.declared_level or largest

    @property
    def full_scale_counts(self) -> int:
        """Count from which a pixel is saturated: as it is declared, or found below."""
        declared = self.declared_full_scale_counts
        return min(self.found_level, declared) if self.found_level else declared

    def converted(self, frame: Frame) -> Frame:
        """Return the frame in counts of one, with the share of pixels that are saturated."""
        if self.step == 1 and not self.declared_level and not self.found_level:
            return frame
        pixels = frame.pixels if self.step == 1 else frame.pixels // np.uint16(self.step)
        saturated = float((pixels >= self.full_scale_counts).mean())
        return Frame(
            pixels,
            frame.exposure_ms,
            frame.timestamp_s,
            frame.sequence,
            frame.pattern_id,
            saturated,
            frame.roi,
        )


def full_scale_counts(camera: Camera) -> int:
    """Return the count from which a pixel of a camera is saturated, as far as it is known."""
    return counted(camera).full_scale_counts


def counted(camera: Camera) -> RightJustified:
    """Return a camera that knows its full scale: this one, or its counts taken as they are declared."""
    return camera if isinstance(camera, RightJustified) else RightJustified(camera)
