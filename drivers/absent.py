"""Devices that a bench does not have yet: `driver = "none"`, while it is brought up piece by piece."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import ClassVar

import numpy as np

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.settings import CameraSettings, NoOptions, SlmSettings
from drivers.types import CameraTiming, FloatArray, Frame, PatternId, Roi, Timing

NONE = "none"
"""Name of the driver of a device that is not there."""


class AbsentSlm:
    """A panel that is not there: it takes flat patterns, which every bench displays at its end."""

    Options: ClassVar[type[NoOptions]] = NoOptions

    def __init__(self, shape: tuple[int, int], pixel_pitch_um: float) -> None:
        self._shape, self._pitch_um, self._pattern = shape, pixel_pitch_um, 0

    @classmethod
    def from_settings(cls, settings: SlmSettings[NoOptions]) -> AbsentSlm:
        """Return a panel of that shape that is not there."""
        return cls(settings.shape, settings.pixel_pitch_um)

    @property
    def name(self) -> str:
        """What it is."""
        return "no SLM"

    @property
    def timing(self) -> Timing:
        """No time."""
        return Timing(0.0, 0.0)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the bench file."""
        return self._shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres, of the bench file."""
        return self._pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return 8

    @property
    def reported_pattern(self) -> PatternId | None:
        """None: it reports nothing."""
        return None

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Take a flat pattern, (height, width), rad. Raises DeviceStateError for any other."""
        return self._take(phase_rad)

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Take a flat pattern, (height, width), grey levels. Raises DeviceStateError for any other."""
        return self._take(grey)

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Do nothing: there is nothing to be looked up."""

    def close(self) -> None:
        """Do nothing."""

    def _take(self, pattern: FloatArray) -> PatternId:
        found = np.asarray(pattern)
        if found.shape != self._shape:
            raise DeviceValueError(
                f"no SLM: pattern of shape {found.shape}; slm.shape is {self._shape}"
            )
        if np.ptp(found) > 0.0:
            raise DeviceStateError(
                'no SLM: this bench has none (slm.driver = "none"), and a pattern was to be displayed'
            )
        self._pattern += 1
        return self._pattern


class AbsentCamera:
    """A camera that is not there: it has settings, and takes no frame."""

    Options: ClassVar[type[NoOptions]] = NoOptions

    def __init__(self, shape: tuple[int, int], bit_depth: int) -> None:
        self._shape, self._bit_depth = shape, bit_depth
        self.exposure_ms = 1.0
        self.roi = Roi(0, 0, *shape)

    @classmethod
    def from_settings(cls, settings: CameraSettings[NoOptions]) -> AbsentCamera:
        """Return a camera of that shape that is not there."""
        return cls(settings.shape, settings.bit_depth)

    @property
    def name(self) -> str:
        """What it is."""
        return "no camera"

    @property
    def timing(self) -> CameraTiming:
        """No time but the exposure."""
        return CameraTiming(0.0, self.exposure_ms, readout_ms=0.0, period_ms=self.exposure_ms)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the bench file."""
        return self._shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count, of the bench file."""
        return self._bit_depth

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure of a bench file."""
        return (1e-3, 1e4)

    def expose(self) -> ReadOut:
        """Raise DeviceStateError: there is no camera."""
        raise DeviceStateError(
            'no camera: this bench has none (camera.driver = "none"), and a frame was to be taken'
        )

    def get_frame(self) -> Frame:
        """Raise DeviceStateError: there is no camera."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Raise DeviceStateError: there is no camera."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """False."""
        return False

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Raise DeviceStateError: there is no camera."""
        raise DeviceStateError("no camera: it has no trigger input")

    def close(self) -> None:
        """Do nothing."""
