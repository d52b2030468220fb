"""Frames as intensity on the output plane: dark level, rectification, scale, noise floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.dark import DarkLevel
from calibration.frame_noise import FrameNoise
from calibration.resample import Rectifier
from drivers.types import Frame
from labdiff.bench.clipping import Mask, clipped_pixels
from labdiff.bench.measurement import Measurement


@dataclass(frozen=True, slots=True)
class IntensityConversion:
    """What makes intensity of counts.

    noise: None while the camera is not calibrated. counts_per_ms_per_unit: counts for an intensity of 1 in
    each millisecond of exposure.
    """

    dark: DarkLevel
    rectifier: Rectifier
    noise: FrameNoise | None
    counts_per_ms_per_unit: float

    def measurement(self, frames: list[Frame]) -> Measurement:
        """Return the intensity of frames that share exposure and window."""
        counts = np.stack([frame.pixels for frame in frames]).astype(np.float32)
        saturated = max((frame.saturated_fraction for frame in frames), default=0.0)
        counts -= self.dark.pedestal_at(frames[0].exposure_ms)
        self.dark.mend(counts, frames[0].roi)
        scale = 1.0 / (self.counts_per_ms_per_unit * frames[0].exposure_ms)
        plane = self.rectifier(counts)
        clipped = self._clipped(frames) if saturated > 0.0 else None
        noise_floor = np.full(len(plane), np.nan)
        if self.noise is not None:
            valid = None if clipped is None else ~clipped
            noise_floor = self.noise.discrepancy(plane, self.rectifier, valid)
        intensity = (plane * scale).astype(np.float32)
        return Measurement(intensity, saturated, noise_floor, clipped)

    def _clipped(self, frames: list[Frame]) -> Mask | None:
        """Return where on the plane (B, h, w) saturated pixels count; None if they do nowhere."""
        masks = np.stack([clipped_pixels(frame) for frame in frames])
        self.dark.forget_hot(masks, frames[0].roi)
        found = self.rectifier.touched(masks)
        return found if found.any() else None
