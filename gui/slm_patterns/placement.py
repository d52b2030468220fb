"""Where a pattern lies on the panel: in patches, or a file of another size at a place and a scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivers.types import Roi

Phase = npt.NDArray[np.float32]


def in_patches(
    base_rad: npt.NDArray[np.floating],
    patterns_rad: Sequence[npt.NDArray[np.floating]],
    patches: Sequence[Roi],
) -> Phase:
    """Return a panel's pattern with other patterns in some patches.

    Args:
        base_rad: (height, width) of the panel; what lies outside the patches stays.
        patterns_rad: A pattern for each patch, in its shape.
        patches: Where they lie.
    """
    panel = np.array(base_rad, np.float32)
    for pattern, patch in zip(patterns_rad, patches, strict=True):
        rows = slice(patch.top, patch.top + patch.height)
        panel[rows, patch.left : patch.left + patch.width] = pattern
    return panel


def placed(
    phase_rad: npt.NDArray[np.floating],
    shape: tuple[int, int],
    corner: tuple[int, int],
    scale: float,
) -> Phase:
    """Return a panel of zero phase with a pattern of another size on it; what lies beyond it is cut off.

    Pixels are repeated or left out, never mixed: between 2 pi and 0 the mean would be a phase of neither.

    Args:
        phase_rad: (h, w), the pattern.
        shape: (height, width) of the panel.
        corner: Row and column of the panel on which its first pixel lies; they may be negative.
        scale: Panel's pixels per pixel of the pattern.

    Raises:
        ValueError: If nothing of it lies on the panel.
    """
    sources = []
    spans = []
    for length, first, panel_length in zip(phase_rad.shape, corner, shape, strict=True):
        count = max(1, round(length * scale))
        start, stop = max(first, 0), min(first + count, panel_length)
        if stop <= start:
            raise ValueError(
                f"{phase_rad.shape[1]} x {phase_rad.shape[0]} pixels, times {scale:g}, at row "
                f"{corner[0]}, column {corner[1]}: nothing of it lies on the panel"
            )
        spans.append(slice(start, stop))
        places = (np.arange(start, stop) - first + 0.5) / scale
        sources.append(np.clip(places.astype(int), 0, length - 1))
    panel = np.zeros(shape, np.float32)
    panel[spans[0], spans[1]] = phase_rad[np.ix_(*sources)]
    return panel


def fitted(pattern: tuple[int, int], shape: tuple[int, int]) -> tuple[float, tuple[int, int]]:
    """Return the scale at which a pattern (h, w) fills a panel (height, width), and its corner then."""
    scale = min(shape[0] / pattern[0], shape[1] / pattern[1])
    return scale, centred(pattern, shape, scale)


def centred(pattern: tuple[int, int], shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return the row and column of the first pixel of a pattern that lies in the middle of the panel.

    Args:
        pattern: (h, w) of the pattern.
        shape: (height, width) of the panel.
        scale: Panel's pixels per pixel of the pattern.
    """
    height, width = (round(length * scale) for length in pattern)
    return (shape[0] - height) // 2, (shape[1] - width) // 2
