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
FRAMES, FEWEST = 16, 6
"""Frames at the exposure that stands, at most, and after which they may be enough."""
DECIDED = 3.0
"""Deviations by which each pixel's mean has to be off the limit of hot pixels for that."""


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
    frames: int = FRAMES,
    ambient: bool = True,
    fewest: int | None = None,
) -> Generator[CalibrationStep, None, DarkLevel]:
    """Take frames with the laser off, at two exposures; laser and exposure are put back.

    It ends after `fewest` frames if they leave nothing open: the verdict is a pass, and no pixel is so
    close to the limit of hot ones that noise may have put it on either side.

    Args:
        camera: the camera.
        laser: the laser.
        sleep_s: lets seconds pass on the bench's clock, while the shutter moves.
        frames: largest number of frames at the exposure that stands.
        ambient: whether half as many are taken at a shorter one, for what grows with the exposure.
        fewest: number of frames that may be enough; None: all are taken.
    """
    emission = laser.emission
    laser.emission = False
    sleep_s(laser.timing.total_ms / 1e3)
    try:
        found = yield from _dark(camera, (fewest or frames, frames), ambient)
    finally:
        laser.emission = emission
        sleep_s(laser.timing.total_ms / 1e3)
    return found


def _dark(
    camera: Camera, rounds: tuple[int, int], ambient: bool
) -> Generator[CalibrationStep, None, DarkLevel]:
    """Take so many frames in the dark, and up to the larger number if they leave something open."""
    exposure_ms = camera.exposure_ms
    shorter_ms = max(SHORTER * exposure_ms, camera.exposure_range_ms[0])
    stood, brief = _Stack(camera.roi.shape), _Stack(camera.roi.shape)
    two = ambient and shorter_ms < exposure_ms
    done = 0
    for wanted in rounds:
        shorter = wanted // 2 if two else 0
        planned = done + (wanted - len(stood.levels)) + (shorter - len(brief.levels))
        while len(stood.levels) < wanted:
            mean = stood.add(camera.get_frame().pixels)
            yield CalibrationStep("dark", done, planned, f"{mean:.1f} counts")
            done += 1
        if len(brief.levels) < shorter:
            try:
                camera.exposure_ms = shorter_ms
                camera.get_frame()  # a camera may apply a new exposure only from its second frame
                while len(brief.levels) < shorter:
                    mean = brief.add(camera.get_frame().pixels)
                    message = f"{mean:.1f} counts in {shorter_ms:.3g} ms"
                    yield CalibrationStep("dark", done, planned, message)
                    done += 1
            finally:
                camera.exposure_ms = exposure_ms
        found, decided = _found(camera, stood, brief if two else None)
        if decided and found.verdict.level == "pass":
            break
    return found


class _Stack:
    """Sums of frames of one exposure, and the mean of each."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._sum, self._squares = np.zeros(shape), np.zeros(shape)
        self.levels: list[float] = []

    def add(self, counts: npt.NDArray[np.unsignedinteger]) -> float:
        """Add a frame's counts (H, W), and return their mean."""
        pixels = counts.astype(np.float64)
        self._sum += pixels
        self._squares += pixels**2
        self.levels.append(float(pixels.mean()))
        return self.levels[-1]

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Return the mean (H, W) of the frames."""
        mean: npt.NDArray[np.float64] = self._sum / len(self.levels)
        return mean

    @property
    def noise(self) -> float:
        """Return how far a pixel varies from frame to frame, rms over all."""
        frames = len(self.levels)
        variance = (self._squares / frames - self.mean**2) * frames / (frames - 1)
        return float(np.sqrt(max(variance.mean(), 0.0)))


def _found(camera: Camera, stood: _Stack, shorter: _Stack | None) -> tuple[DarkLevel, bool]:
    """Return the dark level by these frames, and whether more would change no pixel's verdict."""
    frames, mean, read_noise = len(stood.levels), stood.mean, stood.noise
    exposure_ms = camera.exposure_ms
    above = mean - np.median(mean)
    spread = 1.4826 * float(np.median(np.abs(above)))
    limit = max(HOT_SIGMAS * spread, HOT_COUNTS)
    too_bright = above > limit
    open_pixels = np.abs(above - limit) < DECIDED * read_noise / np.sqrt(frames)
    pedestal = float(mean[~too_bright].mean())
    per_ms = 0.0
    if shorter is not None:
        shorter_ms = max(SHORTER * exposure_ms, camera.exposure_range_ms[0])
        grown = pedestal - float(shorter.mean[~too_bright].mean())
        per_ms = grown / (exposure_ms - shorter_ms)
    hot = np.argwhere(too_bright) + np.array([camera.roi.top, camera.roi.left])
    message = f"pedestal {pedestal:.1f}, read noise {read_noise:.2f} counts, {len(hot)} hot pixels"
    verdict = Verdict("pass", message)
    full = full_scale_counts(camera)
    light = per_ms * exposure_ms / full
    if late := frames_behind(np.array(stood.levels), LEAST_STEP * full):
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
    found = DarkLevel(
        pedestal,
        float(sigma),
        read_noise,
        verdict,
        hot,
        exposure_ms=exposure_ms,
        ambient_counts_per_ms=per_ms,
    )
    return found, not open_pixels.any()


def frames_behind(levels: npt.NDArray[np.float64], least_step: float) -> int:
    """Return how many of the first frames show light from before, by the frames' means (K,), counts.

    least_step: by which the others are darker. Those lie close together; and at least half are dark.
    """
    for late in range(1, len(levels) // 2 + 1):
        first, rest = levels[:late], levels[late:]
        if first.min() - rest.max() > max(least_step, 10.0 * float(np.ptp(rest))):
            return late
    return 0
