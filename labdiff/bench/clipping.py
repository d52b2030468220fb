"""Pixels of a frame that are saturated, and how much of its light falls on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.types import Frame

Mask = npt.NDArray[np.bool_]
DARK_QUANTILE = 0.01
"""Share of a frame's pixels that are taken to be dark where the dark level is not known."""


def clipped_pixels(frame: Frame) -> Mask:
    """Return where a frame (H, W) is saturated: its brightest pixels, as many as its camera has found."""
    count = round(frame.saturated_fraction * frame.pixels.size)
    if count == 0:
        return np.zeros(frame.pixels.shape, bool)
    level = np.partition(frame.pixels, frame.pixels.size - count, axis=None)[-count]
    clipped: Mask = frame.pixels >= level
    return clipped


def clipped_light(frame: Frame) -> float:
    """Return the share of a frame's light that falls on saturated pixels, at least.

    What they lost is not seen. A focus is small: 2 % of the pixels may hold half of the light.
    """
    clipped = clipped_pixels(frame)
    if not clipped.any():
        return 0.0
    light = frame.pixels.astype(np.float64)
    light -= np.quantile(light, DARK_QUANTILE)
    whole = float(light.sum())
    # A frame that is saturated all over has no dark pixel.
    return float(light[clipped].sum()) / whole if whole > 0.0 else 1.0
