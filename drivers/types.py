"""The values that cross a device boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
CountArray: TypeAlias = npt.NDArray[np.uint16]

PatternId: TypeAlias = int
"""Number of a pattern on a modulator: grows by one with every pattern shown."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a device takes, as openwfs declares it.

    latency_ms: from the command until the light (or the exposure) begins to change.
    duration_ms: from then until it is finished (settled, or read out).
    """

    latency_ms: float
    duration_ms: float

    @property
    def total_ms(self) -> float:
        """Milliseconds from the command until the result may be relied on."""
        return self.latency_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class CameraTiming(Timing):
    """A camera's act falls in two: the exposure, and the read-out, during which the light may change.

    latency_ms: from the trigger until the exposure begins.
    duration_ms: exposure (to the end of the last row's, with a rolling shutter) and read-out.
    readout_ms: the last part of it, until the frame is in hand.
    period_ms: the shortest time between the starts of two exposures.
    """

    readout_ms: float
    period_ms: float

    @property
    def exposed_ms(self) -> float:
        """Milliseconds from the trigger until the light may change."""
        return self.total_ms - self.readout_ms


@dataclass(frozen=True, slots=True)
class Roi:
    """A window on the raw sensor, in raw-sensor pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the window."""
        return (self.height, self.width)

    def fits(self, sensor_shape: tuple[int, int]) -> bool:
        """Return whether the window lies on a sensor of that (height, width)."""
        inside_rows = self.top >= 0 and self.top + self.height <= sensor_shape[0]
        inside_columns = self.left >= 0 and self.left + self.width <= sensor_shape[1]
        return inside_rows and inside_columns and self.height > 0 and self.width > 0


@dataclass(frozen=True, slots=True)
class Frame:
    """One exposure, as the camera gave it.

    pixels: raw counts, (height, width) of the region of interest, uint16.
    exposure_ms: the exposure that the camera applied.
    timestamp_s: start of the exposure on the bench's clock.
    sequence: the camera's own frame counter; a gap is a lost frame.
    pattern_id: the pattern on the modulator during the whole exposure; None if unknown or torn.
    saturated_fraction: share of pixels at the camera's largest count, 0 ... 1.
    roi: the window on the raw sensor that the pixels come from.
    """

    pixels: CountArray
    exposure_ms: float
    timestamp_s: float
    sequence: int
    pattern_id: PatternId | None
    saturated_fraction: float
    roi: Roi
