"""The devices of a served bench, on the user's side: each access is one operation there.

The operations are those of `labdiff.remote.device_operations`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from drivers.errors import DeviceStateError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, FloatArray, Frame, PatternId, Roi, Timing
from labdiff.bench.devices import BenchDevices

SLEEP_S = 1.0
"""Time that one call sleeps."""


class Ask(Protocol):
    """Runs an operation on a served bench and returns its result."""

    def __call__(self, operation: str, *values: Any) -> Any:
        """Raise what the device raises, DeviceDisconnectedError if the connection is lost."""
        ...


class RemoteDevice:
    """What every device has. kind: first part of the names of its operations."""

    kind: str

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        name: str = self._ask(f"{self.kind}.name")
        return name

    @property
    def timing(self) -> Timing:
        """Declared latency and duration."""
        timing: Timing = self._ask(f"{self.kind}.timing")
        return timing

    def close(self) -> None:
        """Do nothing: the device is the served bench's, and stays open."""


class RemoteSlm(RemoteDevice):
    """An SLM there."""

    kind = "slm"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel in pixels."""
        shape: tuple[int, int] = self._ask("slm.shape")
        return shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres in micrometres."""
        pitch_um: float = self._ask("slm.pixel_pitch_um")
        return pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        bits: int = self._ask("slm.bit_depth")
        return bits

    @property
    def reported_pattern(self) -> PatternId | None:
        """The pattern that the panel itself reports; None if it reports none."""
        reported: PatternId | None = self._ask("slm.reported_pattern")
        return reported

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Display a phase pattern, (height, width), radians."""
        pattern: PatternId = self._ask("slm.set_phase", phase_rad)
        return pattern

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Display raw grey levels, (height, width)."""
        pattern: PatternId = self._ask("slm.set_grey", grey)
        return pattern

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        self._ask("slm.set_lut", phase_by_grey_rad)


class RemoteModulator(RemoteDevice):
    """An input modulator there."""

    kind = "dmd"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field in modulator pixels."""
        shape: tuple[int, int] = self._ask("dmd.shape")
        return shape

    def show(self, field: FloatArray) -> PatternId:
        """Display one input field, (height, width)."""
        pattern: PatternId = self._ask("dmd.show", field)
        return pattern

    @property
    def has_trigger_output(self) -> bool:
        """True if `show_sequence` may be used."""
        has: bool = self._ask("dmd.has_trigger_output")
        return has

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Display fields (B, h, w) one after the other, one each period."""
        patterns: list[PatternId] = self._ask("dmd.show_sequence", fields, period_ms)
        return patterns


class RemoteCamera(RemoteDevice):
    """A camera there: exposure and read-out are one operation."""

    kind = "camera"

    @property
    def timing(self) -> CameraTiming:
        """Declared latency and duration of a frame, and what of it is read-out."""
        timing: CameraTiming = self._ask("camera.timing")
        return timing

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the whole sensor in raw pixels."""
        shape: tuple[int, int] = self._ask("camera.shape")
        return shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        bits: int = self._ask("camera.bit_depth")
        return bits

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies."""
        exposure_ms: float = self._ask("camera.exposure_ms")
        return exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self._ask("camera.exposure_ms=", value)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure."""
        low_and_high: tuple[float, float] = self._ask("camera.exposure_range_ms")
        return low_and_high

    @property
    def roi(self) -> Roi:
        """The window on the sensor that is read out."""
        roi: Roi = self._ask("camera.roi")
        return roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        self._ask("camera.roi=", value)

    def expose(self) -> ReadOut:
        """Expose once, from now, and wait for the frame."""
        frame = self.get_frame()
        return lambda: frame

    def get_frame(self) -> Frame:
        """Expose once, from now, and return the frame."""
        frame: Frame = self._ask("camera.get_frame")
        return frame

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        frames: list[Frame] = self._ask("camera.get_frames", count)
        return frames

    @property
    def has_trigger_input(self) -> bool:
        """True if the camera there has one; `Bench.acquire` uses it there."""
        has: bool = self._ask("camera.has_trigger_input")
        return has

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Raise DeviceStateError: only batches are triggered."""
        raise DeviceStateError("remote camera: is triggered by `Bench.acquire` alone")


class RemoteLaser(RemoteDevice):
    """A laser there."""

    kind = "laser"

    @property
    def power_mw(self) -> float:
        """Emitted power when the emission is on."""
        power_mw: float = self._ask("laser.power_mw")
        return power_mw

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        self._ask("laser.power_mw=", value)

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """(least, greatest) settable power."""
        low_and_high: tuple[float, float] = self._ask("laser.power_range_mw")
        return low_and_high

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        emission: bool = self._ask("laser.emission")
        return emission

    @emission.setter
    def emission(self, value: bool) -> None:
        self._ask("laser.emission=", value)

    def send_off(self) -> None:
        """Let OFF be sent there, past every call in progress."""
        self._ask("laser.send_off")

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        wavelength_nm: float = self._ask("laser.wavelength_nm")
        return wavelength_nm


class RemoteClock:
    """The clock of a served bench."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def now_s(self) -> float:
        """Return the seconds since an arbitrary start."""
        now_s: float = self._ask("clock.now_s")
        return now_s

    def sleep_s(self, seconds: float) -> None:
        """Let time pass there, a second a call."""
        while seconds > 0.0:
            self._ask("clock.sleep_s", min(seconds, SLEEP_S))
            seconds -= SLEEP_S

    def catch_up(self, now_s: float) -> None:
        """Let virtual time go on from a moment."""
        self._ask("clock.catch_up", now_s)


def remote_devices(ask: Ask, dmd: bool) -> BenchDevices:
    """Return the devices of a served bench. dmd: it has one."""
    modulator = RemoteModulator(ask) if dmd else None
    return BenchDevices(
        RemoteSlm(ask), RemoteCamera(ask), RemoteLaser(ask), RemoteClock(ask), modulator
    )
