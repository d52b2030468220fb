"""Any camera that Micro-Manager has a device adapter for, through its core (pymmcore)."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from drivers.camera.bounded_call import BoundedCalls
from drivers.camera.untriggered import UntriggeredCamera
from drivers.camera.window import ReadWindow, Steps
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
from drivers.types import CameraTiming, Frame, Roi

TRIGGER_MS = 1.0
"""Time from the command until the exposure begins."""
READOUT_MS = 10.0
"""Time that a read-out is taken to need: Micro-Manager does not report it."""
STEPS = (1, 2, 4, 8, 16, 32, 64)
"""Steps in pixels in which adapters take windows, in the order in which they are tried."""
COLOUR = (
    "Of a colour camera choose the raw format by camera.options.properties, and the pixels of one colour "
    'by camera.bayer_plane = "green1" and camera.bayer_pattern = "RG", as its manual has it'
)
"""What to do with a colour camera."""
LABEL = "labdiff camera"
"""Name of the camera in Micro-Manager's core."""


@dataclass(frozen=True, slots=True)
class MicroManagerOptions:
    """The bench file's [camera.options].

    adapter, device: such as "DemoCamera", "DCam". config_file: a Micro-Manager .cfg instead of both.
    folder: where Micro-Manager is; "": by MICROMANAGER_PATH, or as pymmcore-plus finds it.
    properties: set on the camera in this order, such as "PixelType=16bit". timeout_ms: for every call.
    """

    adapter: str = ""
    device: str = ""
    config_file: str = ""
    folder: str = ""
    properties: tuple[str, ...] = ()
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 5000


class MicroManagerCamera(UntriggeredCamera):
    """Each exposure is a snap. serial: the camera's label in the .cfg; "": its current camera."""

    Options = MicroManagerOptions

    def __init__(self, serial: str, bit_depth: int, options: MicroManagerOptions) -> None:
        pymmcore = maker_module("pymmcore", "pip install 'labdiff[micromanager]'")
        self._options, self._sequence, self._closed = options, 0, False
        self._label = serial or LABEL
        self._name = f"Micro-Manager {serial or options.device or Path(options.config_file).name}"
        self._calls = BoundedCalls(self._name)
        self._core: Any = pymmcore.CMMCore()
        try:
            self._call(lambda: self._load(serial), DeviceNotFoundError)
            self._call(self._set_up, DeviceValueError)
            if self._bits != bit_depth:
                raise DeviceValueError(
                    f"{self.name}: bit_depth = {bit_depth}: it counts in {self._bits}; its properties "
                    "BitDepth or PixelType may change that (camera.options.properties)"
                )
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_settings(cls, settings: CameraSettings[MicroManagerOptions]) -> MicroManagerCamera:
        """Open the camera of the bench file. Raises DeviceNotFoundError."""
        return cls(settings.serial, settings.bit_depth, settings.options)

    @property
    def name(self) -> str:
        """Adapter and device, or label."""
        return self._name

    @property
    def timing(self) -> CameraTiming:
        """Exposure; the read-out is taken as 10 ms, and as not overlapping the next exposure."""
        total_ms = self._exposure_ms + READOUT_MS
        return CameraTiming(TRIGGER_MS, total_ms, READOUT_MS, TRIGGER_MS + total_ms)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the sensor, as it is binned."""
        return self._shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return self._bits

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure of the adapter; else a microsecond to a minute."""
        return self._range_ms

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies."""
        return self._exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low:g} ... {high:g} ms"
            )
        self._call(lambda: self._core.setExposure(self._label, value))
        self._exposure_ms = float(self._call(lambda: self._core.getExposure(self._label)))

    @property
    def roi(self) -> Roi:
        """Window that is handed out; the camera may read out a little more, in its own steps."""
        return self._window.asked

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the sensor {self.shape}")
        for step in STEPS:
            rows, columns = (Steps(length, step, step, step) for length in self.shape)
            taken = self._taken(ReadWindow.around(value, rows, columns).read)
            if taken is not None and _holds(taken, value):
                self._window = ReadWindow(value, taken)
                return
        self._call(self._core.clearROI, DeviceValueError)
        self._window = ReadWindow(value, Roi(0, 0, *self.shape))

    def _taken(self, wanted: Roi) -> Roi | None:
        """Ask for a window; return the one that the adapter made of it, None if it refuses."""
        window = (wanted.left, wanted.top, wanted.width, wanted.height)
        try:
            self._call(lambda: self._core.setROI(self._label, *window), DeviceValueError)
        except DeviceValueError:
            return None
        left, top, width, height = self._call(lambda: self._core.getROI(self._label))
        return Roi(top, left, height, width)

    def expose(self) -> ReadOut:
        """Expose once, from now; a snap returns when the exposure is over."""
        start_s = time.monotonic()
        exposure_ms = self._exposure_ms
        self._call(self._core.snapImage, waits_ms=exposure_ms)
        return lambda: self._read(start_s, exposure_ms)

    def close(self) -> None:
        """Let go of the camera; a library that hangs is left to itself."""
        if not self._closed:
            with suppress(RuntimeError, DeviceError):
                self._calls(self._core.reset, self._options.timeout_ms, "does not close")
            self._calls.end()
            self._closed = True

    def _call(
        self,
        act: Any,
        means: type[DeviceError] = DeviceDisconnectedError,
        waits_ms: float = 0.0,
    ) -> Any:
        """Call the library; `means` is the error that its one kind of exception stands for here."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        try:
            return self._calls(act, self._options.timeout_ms + waits_ms, "no answer")
        except (RuntimeError, ValueError) as error:
            if isinstance(error, DeviceError):
                raise
            kind = DeviceTimeoutError if "timed out" in str(error).lower() else means
            raise kind(f"{self.name}: {error}") from error

    def _load(self, serial: str) -> None:
        core, options = self._core, self._options
        core.setDeviceAdapterSearchPaths([str(micro_manager(options.folder))])
        core.setTimeoutMs(options.timeout_ms)
        if options.config_file:
            core.loadSystemConfiguration(options.config_file)
            self._label = serial or core.getCameraDevice()
        elif options.adapter and options.device:
            core.loadDevice(self._label, options.adapter, options.device)
            core.initializeDevice(self._label)
        else:
            raise DeviceNotFoundError(
                "camera.options: give adapter and device, or a Micro-Manager config_file; adapters "
                f"there are: {', '.join(core.getDeviceAdapterNames()) or 'none'}"
            )
        core.setCameraDevice(self._label)

    def _set_up(self) -> None:
        core, label = self._core, self._label
        for setting in self._options.properties:
            key, _, value = setting.partition("=")
            core.setProperty(label, key.strip(), value.strip())
        core.clearROI()
        if core.getNumberOfComponents() != 1 or core.getBytesPerPixel() > 2:
            raise DeviceValueError(f"{self.name}: sends no grey levels of 8 ... 16 bits. {COLOUR}")
        self._shape = (core.getImageHeight(), core.getImageWidth())
        whole = Roi(0, 0, *self._shape)
        self._window = ReadWindow(whole, whole)
        self._bits = int(core.getImageBitDepth())
        self._range_ms = (1e-3, 60e3)
        if core.hasProperty(label, "Exposure") and core.hasPropertyLimits(label, "Exposure"):
            low = core.getPropertyLowerLimit(label, "Exposure")
            self._range_ms = (max(low, 1e-3), core.getPropertyUpperLimit(label, "Exposure"))
        self._exposure_ms = float(core.getExposure(label))

    def _read(self, start_s: float, exposure_ms: float) -> Frame:
        pixels = np.asarray(self._call(self._core.getImage)).astype(np.uint16)
        if pixels.shape != self._window.read.shape:
            raise DeviceValueError(
                f"{self.name}: a frame of {pixels.shape} came for a window of {self._window.read.shape}"
            )
        pixels = self._window.cut(pixels)
        self._sequence += 1
        full = float(np.mean(pixels >= 2**self._bits - 1))
        return Frame(pixels, exposure_ms, start_s, self._sequence, None, full, self._window.asked)


def _holds(larger: Roi, smaller: Roi) -> bool:
    """Return whether a window lies within another one."""
    rows = larger.top <= smaller.top and smaller.top + smaller.height <= larger.top + larger.height
    return (
        rows
        and larger.left <= smaller.left
        and smaller.left + smaller.width <= larger.left + larger.width
    )


def micro_manager(named: str = "") -> Path:
    """Return the folder of Micro-Manager's device adapters. Raises DeviceNotFoundError."""
    found: Any = named or os.environ.get("MICROMANAGER_PATH")
    if not found and find_spec("pymmcore_plus") is not None:
        found = import_module("pymmcore_plus").find_micromanager()
    if not found or not Path(found).is_dir():
        raise DeviceNotFoundError(
            f"Micro-Manager {found or ''}: not found; install it and name its folder as "
            "camera.options.folder, or by the variable MICROMANAGER_PATH"
        )
    return Path(found)
