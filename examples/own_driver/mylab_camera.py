"""A camera driver from outside labdiff. Where it opens a picture, call your maker's library."""

import time

import numpy as np
from PIL import Image

from drivers.camera.folder import FolderOptions
from drivers.camera.untriggered import WholeFrameCamera
from drivers.protocols import ReadOut
from drivers.settings import CameraSettings
from drivers.types import CameraTiming, Roi


class MyCamera(WholeFrameCamera):
    """A camera without trigger input; the simulated light is put into a folder, as a picture."""

    Options, name, shape, bit_depth = FolderOptions, "camera of mylab", (160, 160), 12
    exposure_range_ms, _exposure_ms, _roi = (0.01, 1000.0), 1.0, Roi(0, 0, 160, 160)

    def __init__(self, folder: str) -> None:
        self._picture = f"{folder}/light-0.tiff"

    @classmethod
    def from_settings(cls, settings: CameraSettings[FolderOptions]) -> "MyCamera":
        """Connect to the camera of the bench file's section [camera]."""
        return cls(settings.options.image_folder)

    @property
    def timing(self) -> CameraTiming:
        """Latency, exposure with read-out, read-out alone, and period, in ms."""
        return CameraTiming(0.0, self._exposure_ms + 1.0, 1.0, self._exposure_ms + 1.0)

    def expose(self) -> ReadOut:
        """Take a picture from now on, and return what waits for it."""
        frame = self._window_of(np.asarray(Image.open(self._picture), np.uint16), time.monotonic())
        return lambda: frame

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
