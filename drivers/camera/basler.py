"""Basler cameras through pypylon; also its emulator (PYLON_CAMEMU=1)."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, Frame, Roi

READOUT_MS = 10.0
TRIGGER_MS = 1.0


class BaslerCamera:
    """Each exposure is started by a software trigger. serial: "" opens the first camera found."""

    def __init__(self, serial: str = "", timeout_ms: int = 5000) -> None:
        try:
            from pypylon import genicam, pylon
        except ImportError as error:
            raise DeviceNotFoundError("pypylon is missing; pip install pypylon") from error
        self._pylon: Any = pylon
        self._error: type[Exception] = genicam.GenericException
        self._late: type[Exception] = genicam.TimeoutException
        self._timeout_ms = timeout_ms
        self._sequence = 0
        info = pylon.DeviceInfo()
        if serial:
            info.SetSerialNumber(serial)
        try:
            factory = pylon.TlFactory.GetInstance()
            self._camera: Any = pylon.InstantCamera(factory.CreateFirstDevice(info))
            self._camera.Open()
            formats = self._camera.PixelFormat.Symbolics
            pixel_format = "Mono12" if "Mono12" in formats else "Mono8"
            self._camera.PixelFormat.Value = pixel_format
            self._camera.TriggerSelector.Value = "FrameStart"
            self._camera.TriggerMode.Value = "On"
            self._camera.TriggerSource.Value = "Software"
        except self._error as error:
            wanted = serial or "any"
            raise DeviceNotFoundError(
                f"Basler camera {wanted}: not found, or in use: {error}"
            ) from error
        self._bits = 12 if pixel_format == "Mono12" else 8
        found = self._camera.GetDeviceInfo()
        self._name = f"Basler {found.GetModelName()} {found.GetSerialNumber()}"
        nodes = self._camera.GetNodeMap()
        node = nodes.GetNode("ExposureTime") or nodes.GetNode("ExposureTimeAbs")
        self._exposure: Any = node
        self._shape = (int(self._camera.Height.Max), int(self._camera.Width.Max))

    @classmethod
    def from_settings(cls, serial: str = "") -> BaslerCamera:
        """As the bench file has it."""
        return cls(serial)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def timing(self) -> CameraTiming:
        """Exposure; the read-out is taken as 10 ms, and as not overlapping the next exposure."""
        frame_ms = self.exposure_ms + READOUT_MS
        return CameraTiming(TRIGGER_MS, frame_ms, READOUT_MS, period_ms=TRIGGER_MS + frame_ms)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the sensor."""
        return self._shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return self._bits

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure."""
        return (self._exposure.GetMin() / 1e3, self._exposure.GetMax() / 1e3)

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies."""
        return float(self._exposure.GetValue()) / 1e3

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low} ... {high} ms"
            )
        self._exposure.SetValue(value * 1e3)

    @property
    def roi(self) -> Roi:
        """Window that is read out."""
        camera = self._camera
        return Roi(
            camera.OffsetY.Value, camera.OffsetX.Value, camera.Height.Value, camera.Width.Value
        )

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the sensor {self.shape}")
        camera = self._camera
        try:
            camera.StopGrabbing()  # the window does not change while it runs
            camera.OffsetX.Value = 0
            camera.OffsetY.Value = 0
            camera.Height.Value, camera.Width.Value = value.height, value.width
            camera.OffsetY.Value, camera.OffsetX.Value = value.top, value.left
        except self._error as error:
            raise DeviceValueError(f"{self.name}: {value}: {error}") from error

    def expose(self) -> ReadOut:
        """Expose once, from now; returns when the exposure is over by the declared time."""
        if not self._camera.IsOpen():
            raise DeviceStateError(f"{self.name}: is closed")
        try:
            self._await_trigger()
            start_s = time.monotonic()
            self._camera.TriggerSoftware.Execute()
        except self._late as error:
            raise DeviceTimeoutError(f"{self.name}: takes no trigger: {error}") from error
        except self._error as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}; check the cable") from error
        exposure_ms, roi = self.exposure_ms, self.roi
        time.sleep(self.timing.exposed_ms / 1e3)
        return lambda: self._read(start_s, exposure_ms, roi)

    def get_frame(self) -> Frame:
        """Expose once, from now, and wait for the frame."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """Not used: no modulator with a driver has a trigger output."""
        return False

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Refused."""
        raise DeviceStateError(f"{self.name}: its trigger input is not used by this driver")

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.Close()

    def _await_trigger(self) -> None:
        """Be ready for a trigger, with no late frame in the queue that could be taken for the next."""
        if not self._camera.IsGrabbing():
            self._camera.StartGrabbing(self._pylon.GrabStrategy_OneByOne)
        while self._camera.RetrieveResult(0, self._pylon.TimeoutHandling_Return).IsValid():
            pass
        self._camera.WaitForFrameTriggerReady(
            self._timeout_ms, self._pylon.TimeoutHandling_ThrowException
        )

    def _read(self, start_s: float, exposure_ms: float, roi: Roi) -> Frame:
        try:
            grab = self._camera.RetrieveResult(
                int(self._timeout_ms + exposure_ms), self._pylon.TimeoutHandling_ThrowException
            )
            if not grab.GrabSucceeded():
                raise DeviceTimeoutError(f"{self.name}: {grab.ErrorDescription}")
            pixels = np.array(grab.Array, dtype=np.uint16)
        except self._late as error:
            raise DeviceTimeoutError(f"{self.name}: no frame came: {error}") from error
        except self._error as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}; check the cable") from error
        self._sequence += 1
        full = float((pixels >= 2**self._bits - 1).mean())
        return Frame(pixels, exposure_ms, start_s, self._sequence, None, full, roi)
