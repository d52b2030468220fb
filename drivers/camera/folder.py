"""A camera driver without a camera: it plays the images of a folder, or waits for those that come."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from drivers.camera.image_files import ImageFiles, Page, Stamp
from drivers.camera.untriggered import WholeFrameCamera
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.protocols import ReadOut
from drivers.settings import CameraSettings
from drivers.types import CameraTiming, CountArray, Roi

POLL_S = 0.05
"""Time between two scans of a folder that is watched; a file that rests for so long is complete."""


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """The bench file's [camera.options].

    image_folder: of grey images of one size, 8 or 16 bits. watch: each exposure waits for the next file
    that comes into the folder. wait_s: longest time that it waits.
    """

    image_folder: str
    watch: bool = False
    wait_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0.0 < self.wait_s <= 86_400.0:
            raise DeviceValueError(f"wait_s = {self.wait_s}: allowed is more than 0 ... 86400 s")


class FolderCamera(WholeFrameCamera):
    """Each exposure is the next image; the exposure time changes nothing."""

    Options = FolderOptions

    def __init__(self, bit_depth: int, options: FolderOptions) -> None:
        self._options, self._bits, self._closed = options, bit_depth, False
        self._files = ImageFiles(Path(options.image_folder), bit_depth)
        self._exposure_ms = 1.0
        try:
            self._shape: tuple[int, int] = self._files.counts(self._files.pages()[0]).shape
            self._taken = self._files.files()
        except DeviceDisconnectedError as error:
            hint = (
                "; the first one, which gives the size, is not waited for" if options.watch else ""
            )
            raise DeviceNotFoundError(f"{error}{hint}") from None
        self._waiting: deque[tuple[Page, CountArray]] = deque()
        self._roi = Roi(0, 0, *self.shape)

    @classmethod
    def from_settings(cls, settings: CameraSettings[FolderOptions]) -> FolderCamera:
        """Open the folder of the bench file; it has no serial number."""
        return cls(settings.bit_depth, settings.options)

    @property
    def name(self) -> str:
        """Its folder."""
        return f"folder {self._options.image_folder}"

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
        page, image = self._next_to_come() if self._options.watch else self._next_played()
        if image.shape != self.shape:
            raise DeviceValueError(
                f"{page.path}: {image.shape[0]} x {image.shape[1]} pixels (height x width) among images "
                f"of {self.shape[0]} x {self.shape[1]}"
            )
        frame = self._window_of(image, start_s)
        return lambda: frame

    def close(self) -> None:
        """Refuse further images."""
        self._closed = True

    def _next_played(self) -> tuple[Page, CountArray]:
        """Return the next image as it now is; after the last one comes the first again."""
        pages = self._files.pages()
        page = pages[self._sequence % len(pages)]
        return page, self._files.counts(page)

    def _next_to_come(self) -> tuple[Page, CountArray]:
        """Return the next image that has come since the last. Raises DeviceTimeoutError if none does."""
        ends_s = time.monotonic() + self._options.wait_s
        before: dict[Path, Stamp] = {}
        problem = "no new image"
        while time.monotonic() < ends_s:
            if self._waiting:
                return self._waiting.popleft()
            present = self._files.files()
            new = {path: at for path, at in present.items() if self._taken.get(path) != at}
            path = next(iter(new), None)
            # One that is still being written is waited for.
            if path is not None and before.get(path) == new[path]:
                try:
                    pages = self._files.pages_of(path)
                    self._waiting.extend((page, self._files.counts(page)) for page in pages)
                    self._taken[path] = new[path]
                    continue
                except DeviceDisconnectedError as error:
                    problem = f"no new image that is whole ({error})"
            before = new
            time.sleep(POLL_S)
        raise DeviceTimeoutError(f"{self.name}: {problem} came within {self._options.wait_s:g} s")
