"""A webcam, or a video stream, through OpenCV: for adjusting and for lessons, not for measurements.

A webcam runs by itself, and its driver keeps some frames. A frame counts as exposed after it was asked for
if it came so many frame periods later as a frame can be on its way (`frames_on_the_way`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from drivers.camera.bounded_call import BoundedCalls
from drivers.camera.untriggered import WholeFrameCamera
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.maker_library import maker_module
from drivers.protocols import ReadOut
from drivers.settings import CameraSettings
from drivers.types import CameraTiming, CountArray, Roi

LIBRARIES = "libGL and libglib (Debian: libgl1 libglib2.0-0), or opencv-python-headless"
"""What OpenCV needs of the system, on Linux."""
PERIODS_SEEN = 9
"""Number of frames from which the period is measured."""
CHANNELS = ("blue", "green", "red")
"""Colours in OpenCV's order."""
IN_STEP = (0.5, 1.75)
"""Periods between two frames that come straight from the camera: one that comes sooner was queued, and
where one comes later there may be a queue behind it."""


@dataclass(frozen=True, slots=True)
class WebcamOptions:
    """The bench file's [camera.options].

    frames_on_the_way: periods between the light and the frame in hand, at most. exposure: the value that
    this camera's own scale has for the bench file's exposure_ms; OpenCV's unit differs from driver to
    driver. timeout_ms: for opening and for every frame. channel: of a picture in colours, which a webcam
    has interpolated: one of them, or the grey that OpenCV makes of them.
    """

    frames_on_the_way: Annotated[int, Field(ge=1, le=30)] = 2
    exposure: float | None = None
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 5000
    channel: Literal["grey", "red", "green", "blue"] = "grey"


class Webcam(WholeFrameCamera):
    """Grey levels of 8 bits. serial: OpenCV's number of the camera, or the address of a stream."""

    Options = WebcamOptions

    def __init__(self, serial: str, bit_depth: int, options: WebcamOptions) -> None:
        cv2 = maker_module("cv2", "pip install 'labdiff[webcam]'", LIBRARIES)
        if bit_depth != 8:
            raise DeviceValueError(f"webcam {serial}: bit_depth = {bit_depth}; a webcam has 8")
        self._cv2: Any = cv2
        self._options, self._closed = options, False
        self._name = f"webcam {serial or '0'}"
        self._calls = BoundedCalls(self._name)
        source: int | str = int(serial or 0) if (serial or "0").isdecimal() else serial
        try:
            self._capture: Any = self._call(lambda: cv2.VideoCapture(source))
            if not self._call(self._capture.isOpened):
                raise DeviceNotFoundError(
                    f"{self._name}: not found, or in use by another program (a browser, a meeting); "
                    "serial is OpenCV's number of the camera "
                    "(0, 1 ...) or the address of a stream"
                )
            self._set_up()
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_settings(cls, settings: CameraSettings[WebcamOptions]) -> Webcam:
        """Open the webcam of the bench file. Raises DeviceNotFoundError."""
        if settings.one_colour:
            raise DeviceValueError(
                f"webcam {settings.serial or '0'}: its colours are interpolated, no pixels of one filter; "
                'leave camera.bayer_plane out, and set camera.options.channel = "green" (or red, blue)'
            )
        return cls(settings.serial, settings.bit_depth, settings.options)

    @property
    def name(self) -> str:
        """Its number or address."""
        return self._name

    @property
    def timing(self) -> CameraTiming:
        """It runs by itself: a frame may be exposed from one period after it is asked for."""
        on_the_way_ms = self._options.frames_on_the_way * self._period_ms
        total_ms = self._period_ms + on_the_way_ms
        return CameraTiming(0.0, total_ms, 0.0, total_ms)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of a frame."""
        return self._shape

    @property
    def bit_depth(self) -> int:
        """8."""
        return 8

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """A webcam's exposure is not known: any within its frame's time."""
        return 1e-3, self._period_ms

    def expose(self) -> ReadOut:
        """Wait for a frame that was exposed from now on: the light may not change before."""
        asked_s = time.monotonic()
        pixels = self._call(lambda: self._fresh(asked_s))
        frame = self._window_of(pixels, asked_s)
        return lambda: frame

    def close(self) -> None:
        """Let go of the camera."""
        if not self._closed:
            with suppress(DeviceError, AttributeError):
                self._call(self._capture.release)
            self._calls.end()
            self._closed = True

    def _call(self, act: Callable[[], Any]) -> Any:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        try:
            return self._calls(act, self._options.timeout_ms, "no frame")
        except self._cv2.error as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}") from error

    def _set_up(self) -> None:
        cv2, wanted = self._cv2, self._options.exposure
        if wanted is not None:
            self._call(lambda: self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1))  # by hand, on V4L
            if not self._call(lambda: self._capture.set(cv2.CAP_PROP_EXPOSURE, wanted)):
                raise DeviceValueError(f"{self.name}: options.exposure = {wanted}: is not taken")
        self._shape: tuple[int, int] = self._call(self._next).shape
        self._roi = Roi(0, 0, *self._shape)
        # Measured: the rate that OpenCV reports of a stream is often a default.
        came_s = [self._call(self._came) for _ in range(2 * PERIODS_SEEN)][PERIODS_SEEN - 1 :]
        self._period_ms = 1e3 * float(np.median(np.diff(came_s)))
        self._exposure_ms = self._period_ms

    def _came(self) -> float:
        self._next()
        return time.monotonic()

    def _fresh(self, asked_s: float) -> CountArray:
        """Read frames until one came long enough after it was requested, in step with the camera."""
        period_s = self._period_ms / 1e3
        since_s = asked_s + self._options.frames_on_the_way * period_s
        before_s = time.monotonic()
        while before_s - asked_s < self._options.timeout_ms / 1e3:
            pixels, came_s = self._next(), time.monotonic()
            periods, before_s = (came_s - before_s) / period_s, came_s
            if came_s >= since_s and IN_STEP[0] <= periods <= IN_STEP[1]:
                return pixels
        raise DeviceTimeoutError(
            f"{self.name}: no frame came in step with the {self._period_ms:.0f} ms that were measured at "
            "the start; switch off what changes its frame rate, such as automatic exposure"
        )

    def _next(self) -> CountArray:
        there, picture = self._capture.read()
        if not there:
            raise DeviceDisconnectedError(f"{self.name}: no more frames; check the cable")
        if picture.ndim == 3 and self._options.channel == "grey":
            picture = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2GRAY)
        elif picture.ndim == 3:
            picture = picture[..., CHANNELS.index(self._options.channel)]
        pixels: CountArray = picture.astype(np.uint16)
        return pixels
