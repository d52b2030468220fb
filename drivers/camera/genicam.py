"""Any camera whose maker has a GenTL producer (FLIR, Allied Vision, IDS ...), through harvesters.

A producer is the maker's `.cti` file. It is found by camera.options.producer, else by the variable
GENICAM_GENTL64_PATH, which the maker's installer sets.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.camera.chosen import CameraIdentity, choose_camera
from drivers.camera.features import Features
from drivers.camera.sfnc_camera import Grabbed, SfncCamera
from drivers.camera.sfnc_settings import SfncOptions
from drivers.errors import DeviceNotFoundError, DeviceTimeoutError
from drivers.maker_library import maker_modules
from drivers.settings import CameraSettings

GENTL_PATH = "GENICAM_GENTL64_PATH"
"""Environment variable that lists the folders of GenTL producers."""
BEFORE_FIRST = {"GEV": 0, "U3V": -1}
"""Block number before the first: GigE Vision counts from 1, USB3 Vision from 0."""


@dataclass(frozen=True, slots=True)
class GenicamOptions(SfncOptions):
    """The bench file's [camera.options]. producer: the maker's .cti file; "": by GENICAM_GENTL64_PATH."""

    producer: str = ""


class GenicamCamera(SfncCamera):
    """Each exposure is started by a software trigger; a camera without one is started for each frame."""

    Options = GenicamOptions

    def __init__(
        self,
        serial: str = "",
        bit_depth: int = 12,
        options: GenicamOptions | None = None,
        one_colour: bool = False,
    ) -> None:
        options = options or GenicamOptions()
        core, genapi, gentl = maker_modules(
            ("harvesters.core", "genicam.genapi", "genicam.gentl"), "pip install 'labdiff[genicam]'"
        )
        errors = (genapi.GenericException, gentl.GenericException)
        self._harvester: Any = core.Harvester()
        try:
            info = self._find(serial, producers(options.producer), errors)
            self._acquirer: Any = self._open(info, errors)
            name = f"{info.vendor} {info.model} {info.serial_number}"
            node_map = self._acquirer.remote_device.node_map
            features = Features(lambda feature: getattr(node_map, feature), errors, str)
            before_first = BEFORE_FIRST.get(str(info.tl_type))
            super().__init__(name, features, bit_depth, options, before_first, one_colour)
        except BaseException:
            self._harvester.reset()
            raise

    @classmethod
    def from_settings(cls, settings: CameraSettings[GenicamOptions]) -> GenicamCamera:
        """Open the camera of the bench file. Raises DeviceNotFoundError."""
        return cls(settings.serial, settings.bit_depth, settings.options, settings.one_colour)

    def _find(self, serial: str, files: list[Path], errors: tuple[type[Exception], ...]) -> Any:
        refused = []
        unusable: tuple[type[Exception], ...] = (OSError, *errors)
        for file in files:
            try:
                self._harvester.add_file(str(file), check_existence=True, check_validity=True)
            except unusable as error:
                refused.append(f"; {file.name}: {error}")
        self._harvester.update()
        found = self._harvester.device_info_list
        there = [_identity(one, errors) for one in found]
        try:
            return found[choose_camera("GenICam", serial, there)]
        except DeviceNotFoundError as error:
            held = "" if found else ", or another program has them: close the maker's viewer"
            raise DeviceNotFoundError(
                f"{error}{held}; asked were {', '.join(f.name for f in files)}{''.join(refused)}"
            ) from None

    def _open(self, info: Any, errors: tuple[type[Exception], ...]) -> Any:
        try:
            return self._harvester.create(self._harvester.device_info_list.index(info))
        except errors as error:
            raise DeviceNotFoundError(
                f"GenICam camera {info.serial_number}: is there and does not open, as if another "
                f"program had it: {error}"
            ) from error

    def _start(self, buffers: int) -> None:
        self._acquirer.num_buffers = max(buffers, self._acquirer.min_num_buffers)
        self._acquirer.start()

    def _stop(self) -> None:
        self._acquirer.stop()

    def _fire(self) -> None:
        self._features.execute("TriggerSoftware")

    def _fetch(self, timeout_ms: float) -> Grabbed:
        # A buffer that is not whole comes as None, as does a time-out.
        buffer = self._acquirer.try_fetch(timeout=timeout_ms / 1e3)
        if buffer is None:
            raise DeviceTimeoutError(
                f"{self.name}: no whole frame within {timeout_ms:.0f} ms; check trigger, cable and load"
            )
        with buffer:
            image = buffer.payload.components[0]
            shape = (int(image.height), int(image.width))
            return as_grabbed(np.array(image.data), shape, int(buffer.frame_id))

    def _gone(self) -> bool:
        return self._features.read("Width") is None

    def _release(self) -> None:
        with suppress(*self._features.errors):
            self._acquirer.destroy()
        self._harvester.reset()


def _identity(info: Any, errors: tuple[type[Exception], ...]) -> CameraIdentity:
    """Return serial number, user name and id of a camera; a producer may lack any of them."""

    def text_or_empty(read: Callable[[], str]) -> str:
        try:
            return read() or ""
        except errors:
            return ""

    return CameraIdentity(
        text_or_empty(lambda: info.serial_number),
        text_or_empty(lambda: info.user_defined_name),
        text_or_empty(lambda: info.id_),
    )


def as_grabbed(data: npt.NDArray[Any], shape: tuple[int, int], number: int) -> Grabbed:
    """Return a frame of what harvesters hands out.

    Since 1.4 it unpacks packed formats by itself: then each element is a pixel, of 16 bits.

    Args:
        data: bytes, or pixels.
        shape: (height, width).
        number: the camera's own count of frames.
    """
    unpacked = data.dtype.itemsize == 2 and data.size >= shape[0] * shape[1]
    words = np.ascontiguousarray(data, "<u2" if unpacked else data.dtype)
    return Grabbed(words.view(np.uint8), shape, number, unpacked)


def producers(named: str = "") -> list[Path]:
    """Return the GenTL producers to be asked. Raises DeviceNotFoundError if there is none."""
    if named:
        if not Path(named).is_file():
            raise DeviceNotFoundError(f"camera.options.producer: {named}: no such file")
        return [Path(named)]
    folders = [Path(part) for part in os.environ.get(GENTL_PATH, "").split(os.pathsep) if part]
    found = sorted(file for folder in folders for file in folder.glob("*.cti"))
    if not found:
        raise DeviceNotFoundError(
            "no GenTL producer: install the camera maker's software (Spinnaker, Vimba X, IDS peak ...), "
            f"or name its .cti file as camera.options.producer; {GENTL_PATH} names "
            f"{', '.join(map(str, folders)) or 'no folder'}"
        )
    return found
