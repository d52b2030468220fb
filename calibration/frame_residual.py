"""What frames leave over against a model, by when and where it stands: the statistics of diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PREDICTED, LOST = 0.02, 0.3
"""Discrepancies of frames that a model predicts, and of frames from after the bench has changed."""
LEAST_FRAMES = 3
"""Frames before and after a change."""


def changes_at(discrepancy: Array) -> int:
    """Return the number of the frame from which on a model misses frames that it had predicted; 0 if none.

    Or from which on it predicts them, and had missed those before: it was fitted to the later ones.

    discrepancy: D of each frame (F,), in the order in which they were taken.
    """
    splits = range(LEAST_FRAMES, len(discrepancy) - LEAST_FRAMES + 1)
    parts = {number: (discrepancy[:number], discrepancy[number:]) for number in splits}
    number = min(splits, key=lambda each: sum(_spread(part) for part in parts[each]), default=0)
    if not number:
        return 0
    before, after = (float(np.median(part)) for part in parts[number])
    return number if min(before, after) < PREDICTED and max(before, after) > LOST else 0


def _spread(values: Array) -> float:
    return float(np.abs(values - np.median(values)).sum())


def roughness(courses: Sequence[Array]) -> float:
    """Return how rough courses in time are: 1 for values that are independent, 0 for slow ones.

    Half the mean square of the steps over the variance (von Neumann 1941), of all courses together.
    """
    steps = sum(float(np.square(np.diff(course)).mean()) for course in courses)
    spread = sum(float(course.var(ddof=1)) for course in courses)
    return steps / max(2.0 * spread, 1e-30)


def two_levels(courses: Sequence[Array]) -> float:
    """Return the share of the courses' variance that two levels of each explain, 0 ... 1."""
    total, left = 0.0, 0.0
    for course in courses:
        ordered = np.sort(course)
        total += float(np.square(ordered - ordered.mean()).sum())
        left += min(
            float(np.square(low - low.mean()).sum() + np.square(high - high.mean()).sum())
            for low, high in (
                (ordered[:number], ordered[number:]) for number in range(1, len(ordered))
            )
        )
    return 1.0 - left / max(total, 1e-30)


def one_picture(residual: Array) -> float:
    """Return the share of a residual (F, h, w), squared, that is the same picture in all frames."""
    mean = residual.mean(axis=0)
    return float(len(residual) * np.square(mean).sum() / max(np.square(residual).sum(), 1e-30))


def response_of_pixels(residual: Array, modelled: Array) -> Array:
    """Return by which share of the modelled light (F, h, w) each pixel (h, w) counts more in all frames."""
    share: Array = (residual * modelled).sum(axis=0) / np.maximum(
        np.square(modelled).sum(axis=0), 1e-30
    )
    return share


def second_image(residual: Array, modelled: Array, least_px: int = 3) -> tuple[float, float]:
    """Return the strength of a displaced copy of the modelled frames (F, h, w), and how sure it is.

    Both by the periodic correlation of residual and model, without their means: its largest value at
    displacements of at least so many pixels, over the model's power; and over the deviation of all values.

    Args:
        residual: of frames, (F, h, w).
        modelled: frames, (F, h, w).
        least_px: displacements in which the model alone errs.
    """
    left, model = (
        images - images.mean(axis=(1, 2), keepdims=True) for images in (residual, modelled)
    )
    spectra = np.fft.rfft2(left) * np.conj(np.fft.rfft2(model))
    size = residual.shape[-2:]
    whole = np.fft.irfft2(spectra.mean(axis=0), s=size) / np.square(model).sum(axis=(1, 2)).mean()
    rows, columns = (np.minimum(np.arange(n), n - np.arange(n)) for n in size)
    far = np.hypot(rows[:, None], columns[None, :]) >= least_px
    strength = float(np.abs(whole[far]).max())
    return strength, strength / max(float(np.median(np.abs(whole[far]))) * 1.4826, 1e-30)
