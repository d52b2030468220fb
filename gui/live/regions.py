"""Parts of a picture - a box, a line, the whole frame - and the figures of their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, Roi


@dataclass(frozen=True, slots=True)
class LineMark:
    """A line on the sensor, between two (row, column)."""

    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def length_px(self) -> float:
        """Distance of its ends."""
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))


Region: TypeAlias = Roi | LineMark | None
"""A box or a line, in raw-sensor pixels; None for the whole frame."""


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """Counts of a region.

    Attributes:
        pixels: Number of pixels.
        mean: Mean of their counts.
        std: Standard deviation of their counts.
        least: Least count.
        most: Greatest count.
        total: Sum of their counts.
        centroid: (row, column) on the sensor, weighted by what lies above the least count; None for even
            counts.
    """

    pixels: int
    mean: float
    std: float
    least: float
    most: float
    total: float
    centroid: tuple[float, float] | None


def figures_of(frame: Frame, region: Region) -> RegionFigures | None:
    """Return the figures of the part of a region that lies on the frame; None if none does."""
    if isinstance(region, LineMark):
        rows, columns = _line_places(frame, region)
        counts = _between(frame, rows, columns)
        if not counts.size:
            return None
        weights = counts - counts.min()
        total = float(weights.sum())
        centroid = (
            (float(rows @ weights) / total, float(columns @ weights) / total) if total > 0 else None
        )
        return _figures(counts, centroid)
    roi, pixels = frame.roi, frame.pixels
    top, left = roi.top, roi.left
    if region is not None:
        top, left = max(region.top, roi.top), max(region.left, roi.left)
        bottom = min(region.top + region.height, roi.top + roi.height)
        right = min(region.left + region.width, roi.left + roi.width)
        if bottom <= top or right <= left:
            return None
        pixels = pixels[top - roi.top : bottom - roi.top, left - roi.left : right - roi.left]
    if not pixels.size:
        return None
    return _figures(pixels, _centroid(pixels, top, left))


def counts_along(frame: Frame, line: LineMark) -> npt.NDArray[np.float64]:
    """Return the counts along a line, a value each pixel's width, where it lies on the frame."""
    return _between(frame, *_line_places(frame, line))


def _figures(counts: npt.NDArray[Any], centroid: tuple[float, float] | None) -> RegionFigures:
    return RegionFigures(
        pixels=counts.size,
        mean=float(counts.mean()),
        std=float(counts.std()),
        least=float(counts.min()),
        most=float(counts.max()),
        total=float(counts.sum(dtype=np.float64)),
        centroid=centroid,
    )


def _centroid(pixels: npt.NDArray[Any], top: int, left: int) -> tuple[float, float] | None:
    least = float(pixels.min())
    height, width = pixels.shape
    by_row = pixels.sum(axis=1, dtype=np.float64) - least * width
    by_column = pixels.sum(axis=0, dtype=np.float64) - least * height
    total = float(by_row.sum())
    if total <= 0.0:
        return None
    row = top + float(np.arange(height) @ by_row) / total
    return row, left + float(np.arange(width) @ by_column) / total


def _line_places(
    frame: Frame, line: LineMark
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return rows and columns on the sensor, a pixel apart, of the part of a line on the frame."""
    steps = max(2, round(line.length_px) + 1)
    rows = np.linspace(line.start[0], line.end[0], steps)
    columns = np.linspace(line.start[1], line.end[1], steps)
    roi = frame.roi
    inside = (rows >= roi.top) & (rows <= roi.top + roi.height - 1)
    inside &= (columns >= roi.left) & (columns <= roi.left + roi.width - 1)
    return rows[inside], columns[inside]


def _between(
    frame: Frame, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the counts at places on the sensor, interpolated between four pixels."""
    y, x = rows - frame.roi.top, columns - frame.roi.left
    height, width = frame.pixels.shape
    above = np.clip(np.floor(y).astype(int), 0, max(height - 2, 0))
    before = np.clip(np.floor(x).astype(int), 0, max(width - 2, 0))
    below, behind = np.minimum(above + 1, height - 1), np.minimum(before + 1, width - 1)
    down, along = y - above, x - before
    pixels = frame.pixels
    upper = pixels[above, before] * (1.0 - along) + pixels[above, behind] * along
    lower = pixels[below, before] * (1.0 - along) + pixels[below, behind] * along
    return np.asarray(upper * (1.0 - down) + lower * down, np.float64)
