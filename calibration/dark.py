"""Dark level: what the camera counts without light."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from calibration.packing import full_scale_counts
from calibration.result import CalibrationResult, Verdict
from calibration.step import CalibrationStep
from drivers.protocols import Camera, Laser
from drivers.types import Roi

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST_PEDESTAL = 0.25
SHORTER = 0.25
"""Second exposure in the dark, of the first: what grows with the exposure is light or dark current."""
LARGEST_AMBIENT = 0.005
"""Ambient light at the exposure that stands, share of full scale, beyond which the verdict is a warning."""
LEAST_STEP = 1e-3
"""By how much the first frames have to be brighter to show the light from before, share of full scale."""
HOT_SIGMAS, HOT_COUNTS = 8.0, 5.0
"""A pixel is hot whose dark level lies so far above the others', by both measures."""


@dataclass(frozen=True, slots=True)
class DarkLevel(CalibrationResult):
    """Counts. pedestal_sigma: uncertainty of the mean; read_noise: spread of one pixel in time.

    hot_pixels: (K, 2) row and column on the raw sensor of pixels that count without light.
    packing_step: counts of the raw frames come in steps of this (`calibration.packing`).
    exposure_ms: of the pedestal, 0 if it was not stored; ambient_counts_per_ms: by which the pedestal grows
    with the exposure, from ambient light and dark current.
    """

    routine: ClassVar[str] = "dark level"
    title: ClassVar[str] = "What the camera counts without light, and its hot and dead pixels"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {"hot_pixels": (None, 2)}

    pedestal_counts: float
    pedestal_sigma_counts: float
    read_noise_counts: float
    verdict: Verdict
    hot_pixels: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((0, 2), np.int64), compare=False
    )
    packing_step: float = 1.0
    exposure_ms: float = 0.0
    ambient_counts_per_ms: float = 0.0

    def pedestal_at(self, exposure_ms: float) -> float:
        """Return what a pixel counts without the laser in an exposure."""
        if self.exposure_ms <= 0.0:
            return self.pedestal_counts
        longer_ms = exposure_ms - self.exposure_ms
        return self.pedestal_counts + self.ambient_counts_per_ms * longer_ms

    def mend(self, frames: npt.NDArray[np.floating], roi: Roi) -> None:
        """Give hot pixels of frames (B, H, W), in place, the median of the good ones around them."""
        places = self.hot_pixels - (roi.top, roi.left)
        inside = ((places >= 0) & (places < roi.shape)).all(axis=1)
        if not inside.any():
            return
        hot = np.zeros(roi.shape, bool)
        hot[tuple(places[inside].T)] = True
        for row, column in places[inside]:
            near = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            good = ~hot[near]
            if good.any():
                frames[:, row, column] = np.median(frames[:, *near][:, good], axis=1)

    def forget_hot(self, masks: npt.NDArray[np.bool_], roi: Roi) -> None:
        """Clear masks (B, H, W), in place, at hot pixels: `mend` gives these other values."""
        places = self.hot_pixels - (roi.top, roi.left)
        rows, columns = places[((places >= 0) & (places < roi.shape)).all(axis=1)].T
        masks[:, rows, columns] = False

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return where the hot pixels lie; None without any."""
        from matplotlib.figure import Figure

        if not len(self.hot_pixels):
            return None
        figure = Figure(figsize=(5, 3), layout="constrained")
        ax = figure.subplots()
        ax.plot(self.hot_pixels[:, 1], self.hot_pixels[:, 0], "s", color="C3", ms=3)
        ax.set(
            xlabel="camera column, px", ylabel="camera row, px", title="hot pixels", aspect="equal"
        )
        ax.invert_yaxis()
        return figure


def measure_dark(
    camera: Camera,
    laser: Laser,
    sleep_s: Callable[[float], None],
    frames: int = 16,
    ambient: bool = True,
) -> Generator[CalibrationStep, None, DarkLevel]:
    """Take frames with the laser off, at two exposures; laser and exposure are put back.

    Args:
        camera: the camera.
        laser: the laser.
        sleep_s: lets seconds pass on the bench's clock, while the shutter moves.
        frames: number of frames at the exposure that stands.
        ambient: whether half as many are taken at a shorter one, for what grows with the exposure.
    """
    emission, exposure_ms = laser.emission, camera.exposure_ms
    shorter_ms = max(SHORTER * exposure_ms, camera.exposure_range_ms[0])
    shorter = frames // 2 if ambient and shorter_ms < exposure_ms else 0
    laser.emission = False
    sleep_s(laser.timing.total_ms / 1e3)
    total = np.zeros(camera.roi.shape)
    squares = np.zeros(camera.roi.shape)
    brief = np.zeros(camera.roi.shape)
    levels: list[float] = []
    try:
        for index in range(frames):
            pixels = camera.get_frame().pixels.astype(np.float64)
            levels.append(float(pixels.mean()))
            total += pixels
            squares += pixels**2
            yield CalibrationStep("dark", index, frames + shorter, f"{pixels.mean():.1f} counts")
        if shorter:
            camera.exposure_ms = shorter_ms
            camera.get_frame()  # a camera may apply a new exposure only from its second frame
        for index in range(shorter):
            pixels = camera.get_frame().pixels.astype(np.float64)
            brief += pixels / shorter
            message = f"{pixels.mean():.1f} counts in {shorter_ms:.3g} ms"
            yield CalibrationStep("dark", frames + index, frames + shorter, message)
    finally:
        camera.exposure_ms = exposure_ms
        laser.emission = emission
        sleep_s(laser.timing.total_ms / 1e3)
    mean = total / frames
    variance = (squares / frames - mean**2) * frames / (frames - 1)
    read_noise = float(np.sqrt(max(variance.mean(), 0.0)))
    above = mean - np.median(mean)
    spread = 1.4826 * float(np.median(np.abs(above)))
    too_bright = above > max(HOT_SIGMAS * spread, HOT_COUNTS)
    pedestal = float(mean[~too_bright].mean())
    grown = pedestal - float(brief[~too_bright].mean()) if shorter else 0.0
    per_ms = grown / (exposure_ms - shorter_ms) if shorter else 0.0
    hot = np.argwhere(too_bright) + np.array([camera.roi.top, camera.roi.left])
    message = f"pedestal {pedestal:.1f}, read noise {read_noise:.2f} counts, {len(hot)} hot pixels"
    verdict = Verdict("pass", message)
    full = full_scale_counts(camera)
    light = per_ms * exposure_ms / full
    if late := frames_behind(np.array(levels), LEAST_STEP * full):
        verdict = Verdict(
            "fail",
            f"{late} of {frames} frames without light, the first ones, show the light from before",
            "Let the camera's driver hand out the newest frame, with a queue of one buffer; does the "
            "laser's shutter close in the time that its driver declares?",
            ("frames from before",),
        )
    elif pedestal > LARGEST_PEDESTAL * full:
        verdict = Verdict(
            "fail",
            f"{pedestal:.0f} counts with the laser off, over a quarter of full scale",
            "Shield the camera from stray light, and check that the laser's shutter closes.",
            ("counts without light",),
        )
    elif light > LARGEST_AMBIENT:
        verdict = Verdict(
            "warn",
            f"{message}; with the laser off counts grow with the exposure, {light:.1%} of full scale in "
            f"{exposure_ms:.3g} ms: ambient light, which is subtracted, or dark current",
            "Switch the lamps off or shield the camera: their light must not change from now on.",
            ("counts without light",),
        )
    sigma = read_noise / np.sqrt(frames * mean.size)
    return DarkLevel(
        pedestal,
        float(sigma),
        read_noise,
        verdict,
        hot,
        exposure_ms=exposure_ms,
        ambient_counts_per_ms=per_ms,
    )


def frames_behind(levels: npt.NDArray[np.float64], least_step: float) -> int:
    """Return how many of the first frames show light from before, by the frames' means (K,), counts.

    least_step: by which the others are darker. Those lie close together; and at least half are dark.
    """
    for late in range(1, len(levels) // 2 + 1):
        first, rest = levels[:late], levels[late:]
        if first.min() - rest.max() > max(least_step, 10.0 * float(np.ptp(rest))):
            return late
    return 0
