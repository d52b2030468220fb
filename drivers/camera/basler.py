"""Basler cameras through pypylon, of every interface; also Basler's emulator (PYLON_CAMEMU=1)."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from drivers.camera.chosen import CameraIdentity, choose_camera
from drivers.camera.features import Features
from drivers.camera.sfnc_camera import Grabbed, SfncCamera
from drivers.camera.sfnc_settings import SfncOptions
from drivers.errors import DeviceError, DeviceNotFoundError, DeviceTimeoutError, DeviceValueError
from drivers.maker_library import maker_modules
from drivers.settings import CameraSettings

FREED_MS = 1000
"""Time after its heartbeat at which a GigE camera whose program has died is free at the latest."""
RETRY_S = 0.25
"""Time between two tries to open a camera that another program holds."""
NO_NUMBER = 2**64 - 1
"""Block number of a frame that has none."""
BEFORE_FIRST = {"BaslerGigE": 0, "BaslerUsb": -1}
"""Block number before the first: GigE Vision counts from 1, USB3 Vision from 0."""


@dataclass(frozen=True, slots=True)
class BaslerOptions(SfncOptions):
    """The bench file's [camera.options] for a Basler camera.

    heartbeat_ms: so long after a crash of the program a GigE camera is free again. image_folder: for the
    emulator: where it finds the images that it plays, one a frame, in the order of their names.
    """

    heartbeat_ms: Annotated[int, Field(ge=500, le=60_000)] = 3000
    image_folder: str = ""


class BaslerCamera(SfncCamera):
    """Each exposure is started by a software trigger, or in a burst by a line."""

    Options = BaslerOptions

    def __init__(
        self,
        serial: str = "",
        bit_depth: int = 12,
        options: BaslerOptions | None = None,
        one_colour: bool = False,
    ) -> None:
        options = options or BaslerOptions()
        pylon, genicam = maker_modules(("pypylon.pylon", "pypylon.genicam"), "pip install pypylon")
        self._pylon: Any = pylon
        self._late: type[Exception] = genicam.TimeoutException
        self._camera: Any = self._open(serial, genicam.GenericException, options)
        nodes = self._camera.GetNodeMap()
        features = Features(nodes.GetNode, (genicam.GenericException,), _as_pylon_spells)
        info = self._camera.GetDeviceInfo()
        name = f"Basler {info.GetModelName()} {info.GetSerialNumber()}"
        try:
            link = self._camera.GetTLNodeMap()
            Features(link.GetNode, features.errors, _as_pylon_spells).try_write(
                options.heartbeat_ms, "HeartbeatTimeout"
            )
            before_first = BEFORE_FIRST.get(info.GetDeviceClass())
            super().__init__(name, features, bit_depth, options, before_first, one_colour)
            if options.image_folder:
                _play(features, name, options.image_folder)
        except BaseException:
            self._camera.Close()
            raise

    @classmethod
    def from_settings(cls, settings: CameraSettings[BaslerOptions]) -> BaslerCamera:
        """Open the camera of the bench file. Raises DeviceNotFoundError."""
        return cls(settings.serial, settings.bit_depth, settings.options, settings.one_colour)

    def _open(self, serial: str, error_type: type[Exception], options: BaslerOptions) -> Any:
        """Open the camera; one that a crashed program holds is waited for while its heartbeat lasts."""
        factory = self._pylon.TlFactory.GetInstance()
        until_s = time.monotonic() + (options.heartbeat_ms + FREED_MS) / 1e3
        while True:
            found = factory.EnumerateDevices()
            there = [_identity(one) for one in found]
            try:
                info = found[choose_camera("Basler", serial, there)]
            except DeviceNotFoundError as error:
                raise DeviceNotFoundError(
                    f"{error}. Check cable, power and, with GigE, the IP address (pylon IP Configurator)"
                ) from None
            try:
                camera = self._pylon.InstantCamera(factory.CreateDevice(info))
                camera.Open()
                return camera
            except error_type as error:
                if time.monotonic() > until_s or not info.GetDeviceClass().endswith("GigE"):
                    raise DeviceNotFoundError(
                        f"Basler camera {info.GetSerialNumber()}: is there and does not open, as if "
                        f"another program had it (the pylon Viewer, or another labdiff): {error}"
                    ) from error
            time.sleep(RETRY_S)

    def _start(self, buffers: int) -> None:
        self._camera.MaxNumBuffer.Value = max(buffers, 8)
        self._camera.StartGrabbing(self._pylon.GrabStrategy_OneByOne)

    def _stop(self) -> None:
        self._camera.StopGrabbing()

    def _fire(self) -> None:
        try:
            self._camera.WaitForFrameTriggerReady(
                self._options.timeout_ms, self._pylon.TimeoutHandling_ThrowException
            )
        except self._late as error:
            raise DeviceTimeoutError(f"{self.name}: takes no trigger: {error}") from error
        self._camera.TriggerSoftware.Execute()

    def _fetch(self, timeout_ms: float) -> Grabbed:
        try:
            grab = self._camera.RetrieveResult(
                int(timeout_ms), self._pylon.TimeoutHandling_ThrowException
            )
        except self._late as error:
            raise DeviceTimeoutError(
                f"{self.name}: no frame within {timeout_ms:.0f} ms; check trigger, cable and load"
            ) from error
        with grab:
            if not grab.GrabSucceeded():
                raise DeviceTimeoutError(
                    f"{self.name}: {grab.ErrorDescription} ({grab.ErrorCode:#x}); with GigE check "
                    "packet size and inter-packet delay"
                )
            number = None if grab.BlockID == NO_NUMBER else int(grab.BlockID)
            return Grabbed(np.frombuffer(grab.Buffer, np.uint8), (grab.Height, grab.Width), number)

    def _gone(self) -> bool:
        return bool(self._camera.IsCameraDeviceRemoved())

    def _release(self) -> None:
        with suppress(*self._features.errors, DeviceError):
            self._camera.Close()


def _identity(info: Any) -> CameraIdentity:
    """Return what pylon tells of a camera; "N/A" is its word for nothing."""
    texts = (info.GetSerialNumber(), info.GetUserDefinedName(), info.GetFullName())
    return CameraIdentity(*("" if text == "N/A" else str(text) for text in texts))


def _play(features: Features, name: str, folder: str) -> None:
    """Let the emulator send the images of a folder. Raises DeviceValueError with a real camera."""
    features.try_write("Off", "TestImageSelector")
    if not (
        features.try_write(folder, "ImageFilename") and features.try_write("On", "ImageFileMode")
    ):
        raise DeviceValueError(f"{name}: image_folder = {folder!r}: only the emulator plays images")


def _as_pylon_spells(attribute: str) -> str:
    return attribute.capitalize()
