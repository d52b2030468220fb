"""Automatic exposure for the pattern that stands."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from calibration.result import Verdict
from calibration.steps import CalibrationStep
from drivers.protocols import Camera

QUANTILE = 0.999
MOST_FRAMES = 12


@dataclass(frozen=True, slots=True)
class Exposure:
    """The exposure that was set, and how full the brightest pixels then are, 0 ... 1."""

    exposure_ms: float
    fill: float
    verdict: Verdict


def set_exposure(
    camera: Camera, pedestal_counts: float, target: float = 0.5
) -> Generator[CalibrationStep, None, Exposure]:
    """Bring the 99.9 % quantile of a frame to `target` of full scale, from any start.

    A saturated frame only says "less": the exposure then falls by a factor of eight.
    """
    low, high = camera.exposure_range_ms
    full = 2**camera.bit_depth - 1 - pedestal_counts
    fill = 0.0
    for index in range(MOST_FRAMES):
        frame = camera.get_frame()
        fill = (float(np.quantile(frame.pixels, QUANTILE)) - pedestal_counts) / full
        exposure_ms = camera.exposure_ms
        message = f"{exposure_ms:.3g} ms fills {fill:.0%}"
        yield CalibrationStep("exposure", index, MOST_FRAMES, message, _picture(frame.pixels))
        if abs(fill - target) < 0.1 * target:
            return Exposure(exposure_ms, fill, Verdict("pass", message))
        factor = 1 / 8 if fill > 0.95 else target / max(fill, target / 64)
        wanted = float(np.clip(exposure_ms * factor, low, high))
        if wanted == exposure_ms:
            break
        camera.exposure_ms = wanted
    remedy = "Lower the laser's power." if fill > target else "Is the laser on? Raise its power."
    level = "warn" if 0.1 < fill < 0.9 else "fail"
    reason = f"the image fills {fill:.0%} of full scale at {camera.exposure_ms:.3g} ms"
    return Exposure(
        camera.exposure_ms, fill, Verdict("fail" if level == "fail" else "warn", reason, remedy)
    )


def _picture(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32)
