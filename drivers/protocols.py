"""What a device is. Structural types: a driver fits by having these members, it inherits nothing.

A driver is a class that is constructed from checked settings by its `from_settings`; construction
connects, `close()` leaves the device safe and disconnects, and may be called twice. Every method may
raise the exceptions of `drivers.errors`, and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, runtime_checkable

from drivers.types import CameraTiming, FloatArray, Frame, PatternId, Roi, Timing

ReadOut: TypeAlias = Callable[[], Frame]
"""Waits for a frame whose exposure has ended. Raises DeviceTimeoutError if it does not come."""
TriggeredReadOut: TypeAlias = Callable[[], tuple[int, Frame]]
"""Waits for the next frame; and the number, from 0, of the trigger that started it."""


@runtime_checkable
class Device(Protocol):
    """Anything with a name, a declared timing and an end."""

    @property
    def name(self) -> str:
        """Maker, model and serial number, for messages and provenance."""
        ...

    @property
    def timing(self) -> Timing:
        """Declared latency and duration of the device's one act."""
        ...

    def close(self) -> None:
        """Leave the device safe (laser off, SLM flat) and let go of it. Idempotent."""
        ...


@runtime_checkable
class SLM(Device, Protocol):
    """A phase-only spatial light modulator."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel in pixels."""
        ...

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres in micrometres."""
        ...

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        ...

    @property
    def reported_pattern(self) -> PatternId | None:
        """The pattern that the panel itself reports to have read in last; None if it reports none.

        Never what was merely sent: it is there to find a panel that has frozen.
        """
        ...

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Display a phase pattern, (height, width), radians, any real number; wrapped and quantised here.

        Raises DeviceValueError for a wrong shape or a value that is not finite.
        """
        ...

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians, from now on; None: linear over 2 pi."""
        ...

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Display raw grey levels, (height, width), 0 ... 2**bit_depth - 1, past any phase look-up table.

        Calibration needs it: the phase response is measured as phase against grey level.
        """
        ...


@runtime_checkable
class InputModulator(Device, Protocol):
    """Writes the input image on the beam: a DMD (amplitude) or a patch of the SLM (phase)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field in modulator pixels."""
        ...

    def show(self, field: FloatArray) -> PatternId:
        """Display one input field, (height, width): amplitude in 0 ... 1 for a DMD, radians for a patch."""
        ...

    @property
    def has_trigger_output(self) -> bool:
        """True if `show_sequence` may be used: it plays fields by its own clock and triggers a camera."""
        ...

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Display fields (B, h, w) one after the other, one each period; returns at once.

        The trigger output rises when a field stands. The last field stays.
        Raises DeviceValueError if the period is shorter than the modulator's own act, DeviceStateError
        without a trigger output.
        """
        ...


@runtime_checkable
class Camera(Device, Protocol):
    """A camera with a linear response. It exposes in one act and hands the frame out in another."""

    @property
    def timing(self) -> CameraTiming:
        """Declared latency and duration of a frame, and what of it is read-out."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the whole sensor in raw pixels."""
        ...

    @property
    def bit_depth(self) -> int:
        """Bits of one count; the largest count is 2**bit_depth - 1."""
        ...

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies; set it to any value within exposure_range_ms."""
        ...

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None: ...

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure."""
        ...

    @property
    def roi(self) -> Roi:
        """The window on the sensor that is read out."""
        ...

    @roi.setter
    def roi(self, value: Roi) -> None: ...

    def expose(self) -> ReadOut:
        """Expose once, from now, and return as soon as the light may change; the frame is then read out.

        One exposure at a time: what this returns is called before the next exposure.
        Raises DeviceDisconnectedError if the camera is lost.
        """
        ...

    def get_frame(self) -> Frame:
        """Expose once, from now, and return the frame; never an older one.

        Raises DeviceTimeoutError if no frame came, DeviceDisconnectedError if the camera is lost.
        """
        ...

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        ...

    @property
    def has_trigger_input(self) -> bool:
        """True if `triggered` may be used: a modulator's trigger output may start exposures."""
        ...

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Let the trigger input expose while this is entered; there is a buffer for `count` frames.

        A trigger that meets a busy camera is lost; the numbers of the others do not change by that.
        Raises DeviceStateError without a trigger input.
        """
        ...


@runtime_checkable
class Laser(Device, Protocol):
    """A laser with a shutter."""

    @property
    def power_mw(self) -> float:
        """Emitted power when the emission is on."""
        ...

    @power_mw.setter
    def power_mw(self, value: float) -> None: ...

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """(least, greatest) settable power."""
        ...

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        ...

    @emission.setter
    def emission(self, value: bool) -> None: ...

    def send_off(self) -> None:
        """Send the order to switch the emission off, and nothing else: no question, no wait, no retry.

        It is the first act of every way into the safe state, and may be called from any thread, also
        while another one waits for an answer. Whether the laser obeyed is asked afterwards.
        """
        ...

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        ...


@runtime_checkable
class Shutter(Device, Protocol):
    """A shutter in the beam."""

    @property
    def is_open(self) -> bool:
        """True while light passes; set it to open or close."""
        ...

    @is_open.setter
    def is_open(self, value: bool) -> None: ...

    def send_close(self) -> None:
        """Send the order to close, and nothing else: no question, no wait, no retry; from any thread."""
        ...


@runtime_checkable
class PowerMeter(Device, Protocol):
    """Reads optical power."""

    def read_mw(self) -> float:
        """Return the optical power now."""
        ...
