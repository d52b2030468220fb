"""Dark level: what the camera counts without light."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from calibration.result import Verdict
from calibration.steps import CalibrationStep
from drivers.protocols import Camera, Laser

LARGEST_PEDESTAL = 0.25


@dataclass(frozen=True, slots=True)
class DarkLevel:
    """Counts. pedestal_sigma: uncertainty of the mean; read_noise: spread of one pixel in time."""

    pedestal_counts: float
    pedestal_sigma_counts: float
    read_noise_counts: float
    verdict: Verdict


def measure_dark(
    camera: Camera, laser: Laser, sleep_s: Callable[[float], None], frames: int = 16
) -> Generator[CalibrationStep, None, DarkLevel]:
    """Take frames with the laser off; it is switched back to what it was.

    sleep_s: lets seconds pass on the bench's clock, while the shutter moves.
    """
    emission = laser.emission
    laser.emission = False
    sleep_s(laser.timing.total_ms / 1e3)
    total = np.zeros(camera.roi.shape)
    squares = np.zeros(camera.roi.shape)
    try:
        for index in range(frames):
            pixels = camera.get_frame().pixels.astype(np.float64)
            total += pixels
            squares += pixels**2
            yield CalibrationStep("dark", index, frames, f"{pixels.mean():.1f} counts")
    finally:
        laser.emission = emission
        sleep_s(laser.timing.total_ms / 1e3)
    mean = total / frames
    variance = (squares / frames - mean**2) * frames / (frames - 1)
    read_noise = float(np.sqrt(max(variance.mean(), 0.0)))
    pedestal = float(mean.mean())
    verdict = Verdict("pass", f"pedestal {pedestal:.1f}, read noise {read_noise:.2f} counts")
    if pedestal > LARGEST_PEDESTAL * 2**camera.bit_depth:
        verdict = Verdict(
            "fail",
            f"{pedestal:.0f} counts with the laser off, over a quarter of full scale",
            "Shield the camera from stray light, and check that the laser's shutter closes.",
        )
    sigma = read_noise / np.sqrt(frames * mean.size)
    return DarkLevel(pedestal, float(sigma), read_noise, verdict)
