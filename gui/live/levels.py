"""The levels between which the colours of a picture run, and how counts become colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg

from gui.colour_maps import INTENSITY
from gui.live.statistics import Statistics

Counts: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
GREY = "grey"
COLOUR_MAPS = (INTENSITY, GREY, "viridis", "magma", "cividis", "CET-L9", "CET-R4")
SATURATED_INDEX = 255
_TOP_INDEX = 254


class LevelMode(StrEnum):
    """How the levels follow the frames; they stay with a mode until another is chosen."""

    FIXED = "fixed"
    MIN_MAX = "min/max"
    PERCENTILE = "percentile"


@dataclass(frozen=True, slots=True)
class Levels:
    """Counts of the first colour and of the last, which is above the first."""

    low: int
    high: int


def levels_of(
    mode: LevelMode, fixed: Levels, percentiles: tuple[float, float], statistics: Statistics
) -> Levels:
    """Return the levels of a mode; high is at least one count above low.

    Args:
        mode: How levels follow the frames.
        fixed: Levels of the fixed mode, and of a frame without pixels.
        percentiles: Per cent of the pixels below the low and below the high level.
        statistics: Statistics of the frame.
    """
    if mode is LevelMode.FIXED or statistics.empty:
        return fixed
    if mode is LevelMode.MIN_MAX:
        low, high = statistics.least, statistics.most
    else:
        low, high = (statistics.percentile(p) for p in percentiles)
    return Levels(low, max(high, low + 1))


class Scale(StrEnum):
    """How brightness follows the counts between the levels."""

    LINEAR = "linear"
    LOG = "log"
    GAMMA = "gamma"


DECADES = 1000.0
"""Ratio of the levels' distance to the count at which the logarithmic scale becomes a linear one."""


@dataclass(frozen=True, slots=True)
class Brightness:
    """A scale. gamma: the power of the scale GAMMA; below 1 it brightens what is dim."""

    scale: Scale = Scale.LINEAR
    gamma: float = 0.5

    def curve(self, place: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return the place between the colours, 0 ... 1, of places between the levels, 0 ... 1."""
        within = np.clip(place, 0.0, 1.0)
        match self.scale:
            case Scale.LINEAR:
                return within
            case Scale.LOG:
                return np.asarray(np.log1p(DECADES * within) / np.log1p(DECADES))
            case Scale.GAMMA:
                return np.asarray(within**self.gamma)


LINEAR = Brightness()


def colours(name: str) -> npt.NDArray[np.uint8]:
    """Return (256, 3) red, green, blue of a colour map."""
    if name == GREY:
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    found: npt.NDArray[np.uint8] = pg.colormap.get(name).getLookupTable(nPts=256, alpha=False)
    return found


def standing_out(chosen: npt.NDArray[np.uint8], candidates: Sequence[int]) -> int:
    """Return the candidate, 0xRRGGBB, that is least like any colour of the map."""

    def distance(rgb: int) -> float:
        colour = np.array([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255])
        return float(np.linalg.norm(chosen.astype(float) - colour, axis=1).min())

    return max(candidates, key=distance)


@dataclass(frozen=True)
class ColourTable:
    """What Qt needs to paint counts: an image of bytes, and the colour of each byte.

    Counts of one byte are painted unchanged; wider ones are shifted down until the levels span at most 255
    steps, which leaves at least 128 colours and costs three passes without a look-up table: one of 65536
    entries takes numpy five to ten times as long. A scale that is not linear needs that table: the shift
    would leave few colours for what is dim.

    Args:
        levels: Counts of the first and the last colour.
        colours: (256, 3) red, green, blue.
        saturation: Counts from which a pixel is saturated; None if these are not marked.
        saturated_rgb: Colour of saturated pixels.
        brightness: How brightness follows the counts between the levels.
    """

    levels: Levels
    colours: npt.NDArray[np.uint8]
    saturation: int | None
    saturated_rgb: int
    brightness: Brightness = LINEAR

    def bytes_of(self, pixels: npt.NDArray[Any], saturated: bool) -> npt.NDArray[np.uint8]:
        """Return (h, w) indices into `entries`.

        Args:
            pixels: (h, w) counts.
            saturated: False if no pixel is known to be saturated.
        """
        if pixels.dtype == np.uint8:
            return np.ascontiguousarray(pixels)
        low, high = self._within(65535)
        steps = np.clip(pixels, low, high)
        np.subtract(steps, low, out=steps)
        if self.brightness.scale is Scale.LINEAR:
            result = np.empty(pixels.shape, np.uint8)
            np.right_shift(steps, self._shift, out=result, casting="unsafe")
        else:
            place = np.arange(high - low + 1) / (high - low)
            table = np.rint(_TOP_INDEX * self.brightness.curve(place)).astype(np.uint8)
            result = table[steps]
        if saturated and self.saturation is not None:
            result[pixels >= self.saturation] = SATURATED_INDEX
        return result

    def entries(self, dtype: np.dtype[Any]) -> list[int]:
        """Return 256 colours as Qt's 0xAARRGGBB, for bytes of frames of a type."""
        if dtype == np.uint8:
            steps = (np.arange(256) - self.levels.low) / (self.levels.high - self.levels.low)
            place = self.brightness.curve(steps)
        elif self.brightness.scale is not Scale.LINEAR:
            place = np.arange(256) / _TOP_INDEX
        else:
            low, high = self._within(65535)
            place = np.arange(256) / max(1, (high - low) >> self._shift)
        chosen = self.colours[np.clip(place * 255.0, 0, 255).round().astype(int)].astype(np.uint32)
        table = 0xFF000000 | chosen[:, 0] << 16 | chosen[:, 1] << 8 | chosen[:, 2]
        if self.saturation is not None:
            first = self.saturation if dtype == np.uint8 else SATURATED_INDEX
            table[first:] = 0xFF000000 | self.saturated_rgb
        return [int(entry) for entry in table]

    def _within(self, most: int) -> tuple[int, int]:
        """Return the levels limited to what a pixel can hold."""
        low = min(max(self.levels.low, 0), most - 1)
        return low, min(max(self.levels.high, low + 1), most)

    @property
    def _shift(self) -> int:
        low, high = self._within(65535)
        shift = max(0, (high - low).bit_length() - 8)
        return shift + (((high - low) >> shift) > _TOP_INDEX)
