"""A camera that plays the images of a folder, in the order of their names, over and over: it needs none."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, Frame, Roi


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """The bench file's [camera.options]. image_folder: of grey images of one size, 8 or 16 bits."""

    image_folder: str


class FolderCamera:
    """Each exposure is the next image, as it then is; the exposure time changes nothing."""

    Options = FolderOptions

    def __init__(self, bit_depth: int, options: FolderOptions) -> None:
        self.name, self.bit_depth = f"folder {options.image_folder}", bit_depth
        self._folder, self._sequence, self._closed = Path(options.image_folder), 0, False
        self._exposure_ms = 1.0
        self.shape: tuple[int, int] = self._image().shape
        self._roi = Roi(0, 0, *self.shape)

    @classmethod
    def from_settings(
        cls, serial: str | None, bit_depth: int, options: FolderOptions
    ) -> FolderCamera:
        """As the bench file has it; a folder has no serial number."""
        return cls(bit_depth, options)

    @property
    def timing(self) -> CameraTiming:
        """An image takes no time beyond its exposure."""
        return CameraTiming(0.0, self._exposure_ms, 0.0, self._exposure_ms)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Any that a real camera may have."""
        return 0.001, 60_000.0

    @property
    def exposure_ms(self) -> float:
        """As it was set."""
        return self._exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low} ... {high} ms"
            )
        self._exposure_ms = value

    @property
    def roi(self) -> Roi:
        """Window that is handed out."""
        return self._roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the images {self.shape}")
        self._roi = value

    def expose(self) -> ReadOut:
        """Take the next image."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        start_s, roi = time.monotonic(), self._roi
        time.sleep(self._exposure_ms / 1e3)
        image = self._image()
        if image.shape != self.shape:
            raise DeviceValueError(f"{self.name}: an image of {image.shape} among {self.shape}")
        self._sequence += 1
        pixels = image[roi.top : roi.top + roi.height, roi.left : roi.left + roi.width]
        full = float(np.mean(pixels >= 2**self.bit_depth - 1))
        frame = Frame(pixels, self._exposure_ms, start_s, self._sequence, None, full, roi)
        return lambda: frame

    def get_frame(self) -> Frame:
        """Both acts in one."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """No."""
        return False

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Refused."""
        raise DeviceStateError(f"{self.name}: a folder has no trigger input")

    def close(self) -> None:
        """No further images."""
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
