"""A camera that has GenICam's standard features (SFNC); how frames come is for who derives from it.

One software trigger, one frame: an exposure that nobody read out, a time-out or a failed buffer end the
stream, and the next exposure begins it anew. So no late frame can be taken for the next one.
A camera without a trigger is started for each frame and stopped after it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from drivers.camera.bayer import PATTERNS, BayerPattern
from drivers.camera.bit_packing import BAYER, Bytes, bits_of, unpack
from drivers.camera.features import Features
from drivers.camera.sfnc_settings import SfncOptions, SfncSettings
from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, Frame, Roi


@dataclass(frozen=True, slots=True)
class Grabbed:
    """What came from a camera.

    buffer: bytes as they were sent; counts of 16 bits, in bytes, if the library has unpacked them.
    number: the camera's own count of frames; None if it has none.
    """

    buffer: Bytes
    shape: tuple[int, int]
    number: int | None
    unpacked: bool = False


class SfncCamera(ABC):
    """All but the stream of frames. number_before_first: of a new stream's frames; None if not known."""

    def __init__(
        self,
        name: str,
        features: Features,
        bit_depth: int,
        options: SfncOptions,
        number_before_first: int | None = None,
        one_colour: bool = False,
    ) -> None:
        self._name, self._features, self._options = name, features, options
        self._number_before_first = number_before_first
        self._sequence = 0
        self._last_number: int | None = None
        self._running = self._unread = self._closed = False
        try:
            self._settings = SfncSettings(name, features, bit_depth, options, one_colour)
        except features.errors as error:
            raise DeviceValueError(f"{name}: does not take its settings: {error}") from error

    @abstractmethod
    def _start(self, buffers: int) -> None:
        """Begin a stream, with nothing in it."""

    @abstractmethod
    def _stop(self) -> None:
        """End the stream."""

    @abstractmethod
    def _fire(self) -> None:
        """Send a software trigger. Raises DeviceTimeoutError if the camera takes none in time."""

    @abstractmethod
    def _fetch(self, timeout_ms: float) -> Grabbed:
        """Return the next frame. Raises DeviceTimeoutError if none comes, or only a part of it."""

    @abstractmethod
    def _gone(self) -> bool:
        """Return whether the camera is no longer there."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of the camera."""

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the sensor, after binning."""
        return self._settings.shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return bits_of(self._settings.pixel_format)

    @property
    def bayer_pattern(self) -> BayerPattern | None:
        """Filters of the first two pixels, by the pixel format; None for a monochrome one."""
        found = BAYER.match(self._settings.pixel_format)
        return next((each for each in PATTERNS if found and each == found.group(1)), None)

    @property
    def timing(self) -> CameraTiming:
        """Exposure and read-out; with a software trigger one does not overlap the other."""
        return self._settings.timing

    @property
    def changed_settings(self) -> tuple[str, ...]:
        """What another program had left otherwise, a line each: "Gain: was 24.0, is 0.0"."""
        return self._settings.changed

    @property
    def temperature_c(self) -> float | None:
        """Of sensor or board; None if the camera does not measure it."""
        return self._settings.temperature_c

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure; both the frame's time if the camera's is not settable."""
        return self._settings.exposure_range_ms

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies."""
        return self._settings.exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self._set(lambda: self._settings.set_exposure(value))

    @property
    def gain_range_db(self) -> tuple[float, float] | None:
        """Least and greatest gain; None if it cannot be set in dB."""
        return self._settings.gain_range_db

    @property
    def gain_db(self) -> float | None:
        """The gain that is applied; None if it cannot be set in dB."""
        return self._settings.gain_db

    @gain_db.setter
    def gain_db(self, value: float) -> None:
        self._set(lambda: self._settings.set_gain(value))

    @property
    def roi(self) -> Roi:
        """Window that is handed out; the camera may read out a little more, in its own steps."""
        return self._settings.window.asked

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the sensor {self.shape}")
        self._end_stream()  # the window does not change while it runs
        self._set(lambda: self._settings.use_window(value))

    def expose(self) -> ReadOut:
        """Expose once, from now; returns when the exposure is over by the declared time."""
        self._check_open()
        if self._unread or not self._running:
            self._begin_stream(1)
        self._unread = True
        start_s = time.monotonic()
        if self._settings.has_trigger:
            self._guarded(self._fire)
        exposure_ms = self.exposure_ms
        time.sleep(self.timing.exposed_ms / 1e3)
        return lambda: self._read(start_s, exposure_ms)

    def get_frame(self) -> Frame:
        """Expose once, from now, and wait for the frame."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """True if the bench file names a line."""
        return bool(self._options.trigger_line)

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Let the trigger line expose while this is entered.

        A frame's number is the camera's own count, in which a trigger that met a busy camera may lack:
        keep to the declared period.
        """
        if not self.has_trigger_input:
            raise DeviceStateError(
                f"{self.name}: its trigger input is not used; name it as camera.options.trigger_line"
            )
        return self._triggered(count)

    def close(self) -> None:
        """Let go of the camera."""
        if not self._closed:
            self._closed = True
            self._release()

    @contextmanager
    def _triggered(self, count: int) -> Iterator[TriggeredReadOut]:
        self._end_stream()
        self._set(lambda: self._settings.trigger_by(self._options.trigger_line))
        self._begin_stream(count)
        first = self._sequence + 1

        def read() -> tuple[int, Frame]:
            frame = self._read(None, self.exposure_ms)
            return frame.sequence - first, frame

        try:
            yield read
        finally:
            self._end_stream()
            self._set(lambda: self._settings.trigger_by("Software"))

    def _begin_stream(self, buffers: int) -> None:
        self._end_stream()
        self._guarded(lambda: self._start(buffers))
        self._running, self._last_number = True, self._number_before_first

    def _end_stream(self) -> None:
        if self._running:
            self._running = self._unread = False
            self._guarded(self._stop)

    def _check_open(self) -> None:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")

    def _guarded(self, act: Callable[[], object]) -> None:
        """Call the camera; what fails once the camera is lost raises DeviceDisconnectedError."""
        try:
            act()
        except self._features.errors as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}; check the cable") from error

    def _set(self, act: Callable[[], object]) -> None:
        self._check_open()
        if self._gone():
            raise DeviceDisconnectedError(f"{self.name}: is lost; check the cable")
        try:
            act()
        except self._features.errors as error:
            raise DeviceValueError(f"{self.name}: {error}") from error

    def _read(self, start_s: float | None, exposure_ms: float) -> Frame:
        """Return a frame; start_s is when it was triggered, None if only its arrival is known."""
        self._check_open()
        try:
            grabbed = self._fetch(self._options.timeout_ms + exposure_ms)
        except self._features.errors as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}; check the cable") from error
        begun_s = time.monotonic() - exposure_ms / 1e3 if start_s is None else start_s
        self._unread = False
        before, self._last_number = self._last_number, grabbed.number
        gap = 1 if before is None or grabbed.number is None else grabbed.number - before
        self._sequence += max(gap, 1)
        if not self._settings.has_trigger:
            self._end_stream()
        window = self._settings.window
        if grabbed.shape != window.read.shape:
            raise DeviceValueError(
                f"{self.name}: a frame of {grabbed.shape} came for a window of {window.read.shape}"
            )
        pixel_format = "Mono16" if grabbed.unpacked else self._settings.pixel_format
        pixels = window.cut(unpack(grabbed.buffer, pixel_format, grabbed.shape))
        full = float(np.mean(pixels >= 2**self.bit_depth - 1))
        return Frame(pixels, exposure_ms, begun_s, self._sequence, None, full, window.asked)
