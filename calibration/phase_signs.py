"""What frames of a phase response show beside it: a picture that stands still or jumps, unsteady light."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calibration.signs import Sign

Array = npt.NDArray[np.float64]
STILL_SHARE = 0.05
"""Change from frame to frame, over that of the frames before, below which a picture stands still."""
LEAST_STILL = 6
"""Frames in a row that have to stand still."""
POINT_NOISE_RAD = 0.05
"""Scatter of single levels, by second differences, from which on their phases are unsteady."""
FALL_RAD = 0.1
"""By how much the phase falls on the way up, beyond what single levels scatter."""
JUMP_SHARE, JUMP_STEP = 0.3, 0.6
"""Share of what the ellipse leaves that is one picture, and share of its course in time that is a step."""
SMOOTH_ORDER = 11
"""Order of the polynomial in the grey level that takes off what the fringing field does to brightness."""
LEAST_BRIGHTNESS = 0.02
"""Change in brightness that noise does not make."""
LEFT_SHARE = 0.02
"""Share of the frames' changes that the ellipse has to leave for a jump to be looked for."""


def stands_still(in_time: Array) -> bool:
    """Return whether frames (K, pixels), in the order in which they were taken, stop to change."""
    change = np.square(np.diff(in_time, axis=0)).mean(axis=1)
    for begin in range(LEAST_STILL, len(change) - LEAST_STILL):
        if change[begin:].max() < STILL_SHARE * np.median(change[:begin]):
            return True
    return False


def brightness_alone(frames: Array) -> float:
    """Return the rms change in brightness of frames (K, pixels), share; 0 if they change otherwise."""
    mean = frames.mean(axis=0)
    scale = frames @ mean / max(float(mean @ mean), 1e-30)
    varies = float(scale.std())
    changes = np.square(frames - mean).sum()
    by_brightness = len(frames) * varies**2 * float(mean @ mean)
    return varies if varies > LEAST_BRIGHTNESS and by_brightness > changes / 2.0 else 0.0


def response_signs(
    frames: Array, order: npt.NDArray[np.integer], angle: Array
) -> tuple[list[Sign], float]:
    """Return what is wrong with the frames of a phase response, and by how much their brightness scatters.

    Args:
        frames: (K, pixels) in the order of grey levels, counts.
        order: numbers (K,) of the levels in the order in which they were taken.
        angle: phase (K,) that was found, radians.
    """
    found: list[Sign] = []
    if stands_still(frames[order]):
        found.append("picture stands still")
    design = np.column_stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
    fitted = design @ np.linalg.lstsq(design, frames, rcond=None)[0]
    left = (frames - fitted)[order]
    changes = np.square(frames - frames.mean(axis=0)).sum()
    if np.square(left).sum() > LEFT_SHARE * changes and _jumps(left):
        found.append("pictures jump")
    scatter = float(np.sqrt(np.mean(np.diff(angle, n=2) ** 2) / 6.0))
    if scatter > POINT_NOISE_RAD:
        found.append("levels scatter")
    fall = float((np.maximum.accumulate(angle) - angle).max())
    if fall > FALL_RAD + 4.0 * scatter:
        found.append("response falls")
    brightness = (frames * fitted).sum(axis=1) / np.square(fitted).sum(axis=1)
    return found, _rough_part(brightness)


def _jumps(left: Array) -> bool:
    """Return whether the strongest picture in what is left (K, pixels) comes with a step in time."""
    values, vectors = np.linalg.eigh(left @ left.T)
    if values[-1] < JUMP_SHARE * values.sum():
        return False
    course = vectors[:, -1] - vectors[:, -1].mean()
    total = float(course @ course)
    sums = np.cumsum(course)[:-1]
    before = np.arange(1, len(course))
    explained = sums**2 * (1.0 / before + 1.0 / (len(course) - before))
    return bool(explained.max() > JUMP_STEP * total)


def _rough_part(brightness: Array) -> float:
    """Return the rms of what no smooth function of the grey level explains of values (K,) in its order.

    The fringing field at the rims makes light differ from the ellipse, smoothly; power varies in time, and
    levels are measured in random order.
    """
    place = np.linspace(-1.0, 1.0, len(brightness))
    smooth = np.polynomial.chebyshev.chebfit(place, brightness, SMOOTH_ORDER)
    left = brightness - np.polynomial.chebyshev.chebval(place, smooth)
    return float(np.sqrt(np.square(left).sum() / (len(left) - SMOOTH_ORDER - 1)))
