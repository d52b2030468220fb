"""What is done with frames before they are shown: background, average, binning. Recordings stay raw."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.dark import DarkLevel
from drivers.types import Frame, Roi
from gui.process.frame_ring import NumberedFrame

MOST_AVERAGED = 64
"""Largest number of frames in an average: they are held in memory."""
BINS = (1, 2, 4, 8)
"""Sides of the squares of pixels that are shown with their mean."""


class TakenBackground:
    """The mean of some frames, to be subtracted from others.

    Args:
        frames: Number of frames.
    """

    def __init__(self, frames: int) -> None:
        self.frames, self.taken = frames, 0
        self.exposure_ms = 0.0
        self.roi = Roi(0, 0, 0, 0)
        self._sum: npt.NDArray[np.float64] = np.zeros((0, 0))

    @property
    def complete(self) -> bool:
        """True once all frames were added."""
        return self.taken >= self.frames

    def add(self, frame: Frame) -> None:
        """Add a frame; one of another window or exposure begins anew."""
        if (frame.roi, frame.exposure_ms) != (self.roi, self.exposure_ms):
            self.roi, self.exposure_ms, self.taken = frame.roi, frame.exposure_ms, 0
            self._sum = np.zeros(frame.pixels.shape)
        self._sum += frame.pixels
        self.taken += 1

    def counts_in(self, roi: Roi) -> npt.NDArray[np.float32] | None:
        """Return the mean counts (height, width) in a window; None if it lies elsewhere."""
        top, left = roi.top - self.roi.top, roi.left - self.roi.left
        if not Roi(top, left, roi.height, roi.width).fits(self.roi.shape):
            return None
        part = self._sum[top : top + roi.height, left : left + roi.width]
        return np.asarray(part / max(self.taken, 1), np.float32)


class FrameProcessing:
    """Makes of the camera's frames those that are shown, in counts: rounded, and none below 0.

    Saturated pixels stay at full scale, so that they are marked.

    Attributes:
        background: What is subtracted: a calibrated dark level, whose hot pixels are mended too, or a taken
            background; None for nothing.
        average: Number of frames of which the mean is shown.
        bin_px: Side of the squares whose mean is shown.
    """

    def __init__(self) -> None:
        self.background: DarkLevel | TakenBackground | None = None
        self.average, self.bin_px = 1, 1
        self._taking: TakenBackground | None = None
        self._recent: deque[npt.NDArray[Any]] = deque()
        self._kind: tuple[object, ...] = ()

    @property
    def taking(self) -> TakenBackground | None:
        """The background that is being taken; None if none is."""
        return self._taking

    def take_background(self, frames: int) -> None:
        """Take the mean of the next frames as background."""
        self._taking = TakenBackground(frames)

    def reset(self) -> None:
        """Forget all frames, and subtract nothing."""
        self.background = self._taking = None
        self._recent.clear()

    def apply(self, entry: NumberedFrame, full_counts: int) -> NumberedFrame:
        """Return the frame that is shown.

        Args:
            entry: A frame of uint8 or uint16, as the camera gave it.
            full_counts: Count from which a pixel is saturated.
        """
        frame = entry.frame
        if self._taking is not None:
            self._taking.add(frame)
            if self._taking.complete:
                self.background, self._taking = self._taking, None
        if not frame.pixels.size:
            return entry
        if self.background is None and self.average == 1 and self.bin_px == 1:
            self._recent.clear()
            return entry
        counts = self._averaged(frame)
        self._subtract(counts, frame)
        if self.bin_px > 1:
            counts = binned(counts, self.bin_px)
        np.rint(counts, out=counts)
        np.clip(counts, 0.0, 65535.0, out=counts)
        pixels = counts.astype(frame.pixels.dtype)
        if frame.saturated_fraction:
            np.copyto(pixels, frame.pixels, where=frame.pixels >= full_counts)
        return NumberedFrame(entry.number, replace(frame, pixels=pixels))

    def misses(self, frame: Frame) -> str:
        """Return why the background is not quite that of a frame; "" if it is, or there is none."""
        background = self.background
        if not isinstance(background, TakenBackground):
            return ""
        if background.counts_in(frame.roi) is None:
            return "it was taken in another window: nothing is subtracted"
        if abs(background.exposure_ms / frame.exposure_ms - 1.0) > 0.01:
            return f"it was taken at {background.exposure_ms:.4g} ms"
        return ""

    def _averaged(self, frame: Frame) -> npt.NDArray[np.float32]:
        """Return the mean of the last frames of the same window and exposure."""
        kind = frame.roi, frame.exposure_ms, frame.pixels.dtype
        if kind != self._kind:
            self._recent.clear()
            self._kind = kind
        self._recent.append(frame.pixels)
        while len(self._recent) > self.average:
            self._recent.popleft()
        total = np.zeros(frame.pixels.shape, np.float32)
        for pixels in self._recent:
            total += pixels
        total /= np.float32(len(self._recent))
        return total

    def _subtract(self, counts: npt.NDArray[np.float32], frame: Frame) -> None:
        match self.background:
            case DarkLevel() as dark:
                dark.mend(counts[None], frame.roi)
                counts -= np.float32(dark.pedestal_at(frame.exposure_ms))
            case TakenBackground() as taken:
                found = taken.counts_in(frame.roi)
                if found is not None:
                    counts -= found


def binned(counts: npt.NDArray[np.float32], side_px: int) -> npt.NDArray[np.float32]:
    """Return counts of the same shape in which each square of pixels has its mean; the last ones are less.

    Args:
        counts: (height, width).
        side_px: Side of a square.
    """
    result = counts
    for axis in (0, 1):
        starts = np.arange(0, counts.shape[axis], side_px)
        sizes = np.diff(np.append(starts, counts.shape[axis]))
        sums = np.add.reduceat(result, starts, axis=axis)
        means = sums / (sizes[:, None] if axis == 0 else sizes[None])
        result = np.repeat(means, sizes, axis=axis)
    return np.asarray(result, np.float32)
