"""A camera driver without a camera: it plays the images of a folder in the order of their names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.camera.untriggered import WholeFrameCamera
from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.protocols import ReadOut
from drivers.settings import CameraSettings
from drivers.types import CameraTiming, Roi


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """The bench file's [camera.options]. image_folder: of grey images of one size, 8 or 16 bits."""

    image_folder: str


class FolderCamera(WholeFrameCamera):
    """Each exposure is the next image, as it then is; the exposure time changes nothing."""

    Options = FolderOptions

    def __init__(self, bit_depth: int, options: FolderOptions) -> None:
        self._folder, self._bits, self._closed = Path(options.image_folder), bit_depth, False
        self._exposure_ms = 1.0
        self._shape: tuple[int, int] = self._image().shape
        self._roi = Roi(0, 0, *self.shape)

    @classmethod
    def from_settings(cls, settings: CameraSettings[FolderOptions]) -> FolderCamera:
        """Open the folder of the bench file; it has no serial number."""
        return cls(settings.bit_depth, settings.options)

    @property
    def name(self) -> str:
        """Its folder."""
        return f"folder {self._folder}"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of an image."""
        return self._shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count, as set; no pixel may be larger."""
        return self._bits

    @property
    def timing(self) -> CameraTiming:
        """An image takes no time beyond its exposure."""
        return CameraTiming(0.0, self._exposure_ms, 0.0, self._exposure_ms)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Any that a real camera may have."""
        return 0.001, 60_000.0

    def expose(self) -> ReadOut:
        """Take the next image."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        start_s = time.monotonic()
        time.sleep(self._exposure_ms / 1e3)
        image = self._image()
        if image.shape != self.shape:
            raise DeviceValueError(f"{self.name}: an image of {image.shape} among {self.shape}")
        frame = self._window_of(image, start_s)
        return lambda: frame

    def close(self) -> None:
        """Refuse further images."""
        self._closed = True

    def _image(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
        from PIL import Image, UnidentifiedImageError

        try:
            paths = sorted(self._folder.iterdir())
            with Image.open(paths[self._sequence % len(paths)]) as image:
                pixels = np.asarray(image)
        except (OSError, ZeroDivisionError, UnidentifiedImageError) as error:
            raise DeviceDisconnectedError(f"{self.name}: no image there: {error}") from error
        if pixels.ndim != 2 or pixels.max(initial=0) >= 2**self.bit_depth:
            raise DeviceValueError(
                f"{self.name}: images must be grey, of at most {self.bit_depth} bits"
            )
        return pixels.astype(np.uint16)
