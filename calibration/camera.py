"""Photon transfer: what a count is worth, what reading costs, and where the converter ends (EMVA 1288)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy

from calibration.packing import counted
from calibration.result import CalibrationResult, Verdict
from calibration.saturation import NEAR, key_to_set, level_of
from calibration.step import CalibrationStep
from drivers.protocols import Camera

Array = npt.NDArray[np.float64]
SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Exposures, as shares of the one that stands; 0 is the shortest that the camera has."""
FRAMES = 12
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
    camera: Camera, pedestal_counts: float
) -> Generator[CalibrationStep, None, CameraFound]:
    """Take a dozen frames of a constant pattern at each of rising exposures, and one that is overexposed.

    How a pixel varies from frame to frame is noise, whatever the image: pixels are sorted into bins of
    equal light, in each of which the variance is read^2 + mean / gain. A laser's power and an SLM's
    flicker vary too, but each as one picture: the pictures in which the frames of all other exposures
    vary most are taken out of these. The exposure is put back.
    """
    stands_ms = camera.exposure_ms
    shortest_ms, longest_ms = camera.exposure_range_ms
    total = len(SHARES) + 1
    try:
        camera.exposure_ms = min(OVEREXPOSED * stands_ms, longest_ms)
        bright = camera.get_frame().pixels.astype(np.float64)
        yield CalibrationStep("camera", 0, total, "overexposed")
        saturation = float(bright.max())
        saturated = float((bright == bright.max()).mean())
        if saturated < LEAST_SATURATED:
            # A full well, whose noise the converter spreads, has no largest count that many pixels share.
            camera.exposure_ms = max(camera.exposure_ms / LESS, shortest_ms)
            level = level_of(camera.get_frame().pixels, bright, pedestal_counts)
            if level:
                saturation, saturated = float(level), float((bright >= level).mean())
        dead = _dead(bright - pedestal_counts, saturation - pedestal_counts)
        levels = [np.unique(bright).astype(np.int64)]
        stacks: list[Array] = []
        light: list[tuple[float, float]] = []
        read_variances: list[float] = []
        for index, share in enumerate(SHARES, start=1):
            camera.exposure_ms = max(share * stands_ms, shortest_ms)
            raw = np.stack([camera.get_frame().pixels for _ in range(FRAMES)])
            levels.append(np.unique(raw).astype(np.int64))
            stack: Array = raw.astype(np.float64) - pedestal_counts
            yield CalibrationStep("camera", index, total, f"{camera.exposure_ms:.3g} ms")
            light.append((camera.exposure_ms, float(stack.mean())))
            if share == 0.0:
                pairs = zip(stack[::2], stack[1::2], strict=True)
                read_variances = [float(np.var(a - b) / 2.0) for a, b in pairs]
            thinned = max(bright.size // MOST_PIXELS, 1)
            stacks.append(stack.reshape(FRAMES, -1)[:, ::thinned])
    finally:
        camera.exposure_ms = stands_ms
    # Where light fills the whole overexposed frame, that has one count alone.
    step = float(np.gcd.reduce(np.concatenate(levels)))
    fullest = FULLEST * (saturation - pedestal_counts)
    dark, *lit = [stack.mean(axis=0) for stack in stacks]
    noise = _variances(stacks)
    # The darkest stack tells each pixel's own offset, and light goes with the exposure.
    shortest = light[0][0]
    binned = [
        _binned((own - dark) * ms / (ms - shortest), variance, sum(lit) - own, fullest)
        for own, variance, (ms, _) in zip(lit, noise[1:], light[1:], strict=True)
        if ms > shortest
    ]
    gain, gain_sigma = _gain(np.array(binned))
    dark_light = light[0][1]
    # Photons of the shortest exposure and the converter's rounding are no read noise.
    read_variance = float(np.mean(read_variances)) - max(dark_light, 0.0) / gain - step**2 / 12.0
    read_noise = float(np.sqrt(max(read_variance, 0.0)))
    spread = float(np.std(read_variances, ddof=1) / np.sqrt(len(read_variances)))
    read_sigma = spread / max(2.0 * read_noise, 1e-9)
    nonlinearity = _nonlinearity(np.array(light), fullest)
    verdict = _verdict(gain, gain_sigma, read_noise, saturation, saturated, step, nonlinearity)
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
        gain, gain_sigma, read_noise, read_sigma, saturation, step, nonlinearity, verdict, places
    )


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
    """Return each pixel's variance for each stack (FRAMES, pixels), without what varies as a whole.

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
