"""Photon transfer: what a count is worth, what reading costs, and where the converter ends (EMVA 1288)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy

from calibration.packing import counted
from calibration.result import CalibrationResult, Verdict
from calibration.saturation import NEAR, key_to_set, level_of
from calibration.step import CalibrationStep
from drivers.protocols import Camera
from drivers.types import CountArray, Frame

Array = npt.NDArray[np.float64]
SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
"""Exposures, as shares of the one that stands; 0 is the shortest that the camera has."""
FIRST_SHARES = (0.0, 0.05, 0.2, 0.5, 1.0)
"""Those of them that are looked at first."""
FRAMES = 12
"""Frames at each exposure, at most."""
ROUNDS = ((FIRST_SHARES, 4), (FIRST_SHARES, 8), (SHARES, FRAMES))
"""Exposures and frames at each, after which it is asked whether they are enough."""
GOOD_GAIN, GOOD_NONLINEARITY = 0.01, 0.005
"""Deviation of the gain, share, and nonlinearity, with which fewer frames are enough."""
PICTURES = 2
BINS = 12
LEAST_PIXELS, MOST_PIXELS = 50, 60_000
OVEREXPOSED = 64.0
FULLEST = 0.8
"""Only light below this share of saturation tells of gain."""
LEAST_SATURATED = 1e-3
LESS = 4.0
"""Ratio of the exposures at which counts have to be the same where no largest count is."""
LARGEST_NONLINEARITY = 0.02
LEAST_VARIANCES = 4
"""Number of differences of frames from which on it counts how far their variances differ."""
DEAD_SHARE = 0.3
"""A pixel of an overexposed frame that counts less than this share of those around it is dead."""
AROUND_PX = 15
MOST_TOGETHER = 4
"""Dead pixels that touch each other; of more than that the image cannot be mended."""


@dataclass(frozen=True, slots=True)
class CameraFound(CalibrationResult):
    """gain_electrons: photo-electrons a count; read_noise_counts: in the dark, at the shortest exposure.

    Both with standard deviations. saturation_counts: the largest count that comes, in the container's
    units; step_counts: distance of two counts there, 1 if the bits are right-justified, 16 for 12 bits
    in the upper end of 16. nonlinearity: largest deviation of light against exposure, share of the
    largest. dead_pixels (K, 2): row and column on the raw sensor of pixels that light does not reach.
    """

    routine: ClassVar[str] = "camera"
    title: ClassVar[str] = "Gain, read noise and saturation"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {"dead_pixels": (None, 2)}

    gain_electrons: float
    gain_sigma_electrons: float
    read_noise_counts: float
    read_noise_sigma_counts: float
    saturation_counts: float
    step_counts: float
    nonlinearity: float
    verdict: Verdict
    dead_pixels: npt.NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((0, 2), np.int64), compare=False
    )


def measure_camera(
    camera: Camera, pedestal_counts: float, *, taken: Sequence[Frame] = (), thorough: bool = False
) -> Generator[CalibrationStep, None, CameraFound]:
    """Take frames of a constant pattern at rising exposures, and one that is overexposed.

    How a pixel varies from frame to frame is noise, whatever the image: pixels are sorted into bins of
    equal light, in each of which the variance is read^2 + mean / gain. A laser's power and an SLM's
    flicker vary too, but each as one picture: the pictures in which the frames of all other exposures
    vary most are taken out of these. The exposure is put back.

    Four frames at five exposures are often enough: they are if the verdict is a pass with a gain that is
    known to a hundredth. If not, there are up to a dozen at eight.

    Args:
        camera: the camera; the pattern stands.
        pedestal_counts: dark level.
        taken: frames of this pattern that another routine has taken at the exposure that stands.
        thorough: whether all frames are taken, whatever the first ones show.
    """
    transfer = _PhotonTransfer(camera, pedestal_counts, taken)
    rounds = ROUNDS[-1:] if thorough else ROUNDS
    try:
        yield CalibrationStep("camera", 0, transfer.planned(*rounds[0]), transfer.overexpose())
        for shares, frames in rounds:
            for share in shares:
                message = transfer.add(share, frames)
                total = transfer.planned(shares, frames)
                yield CalibrationStep("camera", transfer.frames - 1, total, message)
            found = transfer.found()
            if _enough(found):
                break
    finally:
        camera.exposure_ms = transfer.stands_ms
    return found


def _enough(found: CameraFound) -> bool:
    return (
        found.verdict.level == "pass"
        and found.gain_sigma_electrons < GOOD_GAIN * found.gain_electrons
        and found.nonlinearity < GOOD_NONLINEARITY
    )


class _PhotonTransfer:
    """The frames of a photon transfer, by exposure. frames: number that was taken."""

    def __init__(self, camera: Camera, pedestal_counts: float, taken: Sequence[Frame]) -> None:
        self._camera, self._pedestal_counts = camera, pedestal_counts
        self.stands_ms = camera.exposure_ms
        self._raw: dict[float, list[CountArray]] = {1.0: [frame.pixels for frame in taken]}
        self._exposures_ms: dict[float, float] = {}
        self._bright = np.zeros(0)
        self._saturation = self._saturated = 0.0
        self.frames = 0

    def overexpose(self) -> str:
        """Find the largest count in a frame of many times the exposure, and perhaps another one."""
        camera = self._camera
        shortest_ms, longest_ms = camera.exposure_range_ms
        camera.exposure_ms = min(OVEREXPOSED * self.stands_ms, longest_ms)
        bright = self._bright = self._frame().astype(np.float64)
        self._saturation = float(bright.max())
        self._saturated = float((bright == bright.max()).mean())
        if self._saturated < LEAST_SATURATED:
            # A full well, whose noise the converter spreads, has no largest count that many pixels share.
            camera.exposure_ms = max(camera.exposure_ms / LESS, shortest_ms)
            level = level_of(self._frame(), bright, self._pedestal_counts)
            if level:
                self._saturation, self._saturated = float(level), float((bright >= level).mean())
        return "overexposed"

    def add(self, share: float, frames: int) -> str:
        """Take frames at a share of the exposure that stood, until there are so many; say at which."""
        camera = self._camera
        raw = self._raw.setdefault(share, [])
        camera.exposure_ms = max(share * self.stands_ms, camera.exposure_range_ms[0])
        self._exposures_ms[share] = camera.exposure_ms
        raw += [self._frame() for _ in range(frames - len(raw))]
        return f"{camera.exposure_ms:.3g} ms"

    def planned(self, shares: Sequence[float], frames: int) -> int:
        """Return how many frames there are once there are so many at each of these exposures."""
        missing = (max(frames - len(self._raw.get(share, ())), 0) for share in shares)
        return max(self.frames, 1) + sum(missing)

    def _frame(self) -> CountArray:
        self.frames += 1
        return self._camera.get_frame().pixels

    def found(self) -> CameraFound:
        """Return what all frames so far tell."""
        camera, bright, pedestal_counts = self._camera, self._bright, self._pedestal_counts
        saturation = self._saturation
        dead = _dead(bright - pedestal_counts, saturation - pedestal_counts)
        shares = sorted(self._exposures_ms)
        raws = [np.stack(self._raw[share]) for share in shares]
        step = _step([bright, *raws])
        thinned = max(bright.size // MOST_PIXELS, 1)
        stacks: list[Array] = []
        light: list[tuple[float, float]] = []
        for share, raw in zip(shares, raws, strict=True):
            stack = raw.astype(np.float64) - pedestal_counts
            light.append((self._exposures_ms[share], float(stack.mean())))
            stacks.append(stack.reshape(len(raw), -1)[:, ::thinned])
        darkest = raws[0].astype(np.float64)
        read_variances = [float(np.var(a - b) / 2.0) for a, b in pairwise(darkest)]
        fullest = FULLEST * (saturation - pedestal_counts)
        gain, gain_sigma = _gain(_all_binned(stacks, light, fullest))
        # Photons of the shortest exposure and the converter's rounding are no read noise.
        read_variance = float(np.mean(read_variances))
        read_variance -= max(light[0][1], 0.0) / gain + step**2 / 12.0
        read_noise = float(np.sqrt(max(read_variance, 0.0)))
        variance_sigma = np.hypot(
            _spread_of(read_variances, darkest[0].size), light[0][1] * gain_sigma / gain**2
        )
        read_sigma = float(variance_sigma) / max(2.0 * read_noise, 1e-9)
        nonlinearity = _nonlinearity(np.array(light), fullest)
        verdict = _verdict(
            gain, gain_sigma, read_noise, saturation, self._saturated, step, nonlinearity
        )
        declared = step * counted(camera).declared_full_scale_counts
        if verdict.level == "pass" and saturation < NEAR * declared:
            verdict = Verdict(
                "warn",
                f"{verdict.reason}, and {declared:.0f} is declared",
                key_to_set(saturation / step, declared / step),
            )
        together = _most_together(dead)
        if verdict.level != "fail" and together > MOST_TOGETHER:
            verdict = Verdict(
                "warn",
                f"{verdict.reason}; {dead.sum()} pixels are dead, {together} of them in one place",
                "What falls there is lost: move the image on the sensor, or have the camera repaired.",
                (*verdict.signs, "dead pixels"),
            )
        places = np.argwhere(dead) + np.array([camera.roi.top, camera.roi.left])
        return CameraFound(
            gain,
            gain_sigma,
            read_noise,
            read_sigma,
            saturation,
            step,
            nonlinearity,
            verdict,
            places,
        )


def _step(counts: Sequence[npt.NDArray[np.number]]) -> float:
    """Return the distance of two counts: where light fills a frame it has one count alone."""
    levels = np.concatenate([np.unique(each).astype(np.int64) for each in counts])
    return float(np.gcd.reduce(levels))


def _spread_of(variances: Sequence[float], pixels: int) -> float:
    """Return the deviation of the mean of variances, each of the difference of two frames in a row.

    What independent pixels make of it, or how far the variances differ if that is more. A frame is part of
    two differences, whose squares are correlated by a quarter.
    """
    count = len(variances)
    independent = count / (1.0 + 0.5 * (count - 1) / count)
    of_pixels = float(np.mean(variances)) * np.sqrt(2.0 / (pixels * independent))
    if count < LEAST_VARIANCES:
        return float(of_pixels)
    return float(max(of_pixels, np.std(variances, ddof=1) / np.sqrt(independent)))


def _dead(bright: Array, full: float) -> npt.NDArray[np.bool_]:
    """Find where an overexposed frame (H, W) is dark in the midst of light."""
    around = scipy.ndimage.median_filter(bright, AROUND_PX, mode="nearest")
    result: npt.NDArray[np.bool_] = (around > 0.5 * full) & (bright < DEAD_SHARE * around)
    return result


def _most_together(dead: npt.NDArray[np.bool_]) -> int:
    """Return the size of the largest cluster, neighbours at corners included."""
    labels, count = scipy.ndimage.label(dead, np.ones((3, 3)))
    return int(np.bincount(labels.ravel())[1:].max()) if count else 0


def _variances(stacks: list[Array]) -> list[Array]:
    """Return each pixel's variance for each stack (frames, pixels), without what varies as a whole.

    The pictures are found in the other stacks: in their own they would take noise with them.
    """
    centred = [stack - stack.mean(axis=0) for stack in stacks]
    frames = np.concatenate(centred)
    products = frames @ frames.T
    belongs_to = np.repeat(np.arange(len(centred)), [len(stack) for stack in centred])
    found = []
    for index, own in enumerate(centred):
        others = np.flatnonzero(belongs_to != index)
        strengths, mixtures = np.linalg.eigh(products[np.ix_(others, others)])
        weights = np.zeros((PICTURES, len(frames)))
        weights[:, others] = mixtures[:, -PICTURES:].T
        pictures = weights @ frames
        pictures /= np.sqrt(np.maximum(strengths[-PICTURES:], 1e-12))[:, None]
        noise = own - (own @ pictures.T) @ pictures
        found.append((noise**2).sum(axis=0) / (len(own) - 1))
    return found


def _all_binned(stacks: list[Array], light: list[tuple[float, float]], fullest: float) -> Array:
    """Return mean and variance of bins of all exposures but the shortest, (exposures, 2, BINS).

    Args:
        stacks: (frames, pixels) of each exposure, the shortest first.
        light: (exposure, mean) of each.
        fullest: counts up to which light tells of gain.
    """
    dark, *lit = [stack.mean(axis=0) for stack in stacks]
    noise = _variances(stacks)
    # The darkest stack tells each pixel's own offset, and light goes with the exposure.
    shortest = light[0][0]
    return np.array(
        [
            _binned((own - dark) * ms / (ms - shortest), variance, sum(lit) - own, fullest)
            for own, variance, (ms, _) in zip(lit, noise[1:], light[1:], strict=True)
            if ms > shortest
        ]
    )


def _binned(mean: Array, variance: Array, by: Array, fullest: float) -> tuple[Array, Array]:
    """Return mean and variance, (BINS,), of as many pixels of about equal light; NaN where too full.

    by: counts at other exposures, after which pixels are sorted: by their own they would be sorted by
    their noise too, by their light without their offset by the offset's.
    """
    inside = mean < fullest
    if inside.sum() < BINS * LEAST_PIXELS:
        return np.full(BINS, np.nan), np.full(BINS, np.nan)
    parts = np.array_split(np.flatnonzero(inside)[np.argsort(by[inside])], BINS)
    return np.array([mean[p].mean() for p in parts]), np.array([variance[p].mean() for p in parts])


def _gain(binned: Array) -> tuple[float, float]:
    """Return electrons a count and its deviation, from the slope of variance against light at no light.

    binned (exposures, 2, BINS). What still flickers has a variance that grows with the square of the
    light: a parabola tells it apart.
    """
    x, y = binned.reshape(-1, 2, BINS).swapaxes(0, 1).reshape(2, -1)
    known = np.isfinite(x) & (y > 0.0)
    x, y = x[known], y[known]
    design = np.column_stack([np.ones_like(x), x, x**2])
    # Without light, or with one level of it alone, no curve is told.
    if len(x) < 4 or np.linalg.matrix_rank(design) < 3:
        return float("nan"), float("nan")
    weights = np.ones_like(x)
    for _ in range(3):  # a variance's own deviation is proportional to it
        root = np.sqrt(weights)[:, None]
        line = np.linalg.lstsq(design * root, y * root[:, 0], rcond=None)[0]
        weights = 1.0 / np.maximum(design @ line, 1e-3 * y.max()) ** 2
    missed = (y - design @ line) * np.sqrt(weights)
    covariance = np.linalg.inv((design * weights[:, None]).T @ design)
    covariance *= np.sum(missed**2) / (len(x) - 3)
    slope = float(line[1])
    return 1.0 / slope, float(np.sqrt(covariance[1, 1])) / slope**2


def _nonlinearity(light: Array, fullest: float) -> float:
    """Return the largest deviation from a line through light (exposure, mean), share of the largest."""
    used = light[light[:, 1] < fullest]
    if len(used) < 3 or np.ptp(used[:, 0]) == 0.0:
        return float("nan")
    line = np.polyfit(used[:, 0], used[:, 1], 1)
    missed = np.abs(np.polyval(line, used[:, 0]) - used[:, 1])
    return float(missed.max() / max(used[:, 1].max(), 1e-9))


def _verdict(
    gain: float,
    gain_sigma: float,
    read_noise: float,
    saturation: float,
    saturated: float,
    step: float,
    nonlinearity: float,
) -> Verdict:
    message = (
        f"{gain:.3g} electrons a count, read noise {read_noise:.2f} counts, saturates at "
        f"{saturation:.0f}"
    )
    if step > 1.0:
        message += f", counts in steps of {step:.0f}"
    if saturated < LEAST_SATURATED:
        return Verdict(
            "fail",
            f"even {OVEREXPOSED:.0f} times the exposure does not saturate the camera",
            "Is light on the camera? Raise the laser's power.",
            ("no light",),
        )
    if not gain_sigma < 0.1 * gain:
        return Verdict(
            "fail",
            "the noise does not grow with the light as photons make it",
            "Is the light steady, and is the camera's gamma or noise filter off?",
            ("noise of no photons",),
        )
    if not np.isfinite(nonlinearity):
        return Verdict(
            "warn", f"{message}; too few exposures are free of saturation to measure linearity"
        )
    if nonlinearity > LARGEST_NONLINEARITY:
        return Verdict(
            "warn",
            f"{message}; the light deviates from a straight line by {nonlinearity:.1%}",
            "Switch the camera's gamma and automatic gain off.",
            ("nonlinear counts",),
        )
    return Verdict("pass", message)
