"""The images of a folder, in the order in which a person counts, as counts of a camera."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from drivers.errors import DeviceDisconnectedError, DeviceError, DeviceValueError
from drivers.types import CountArray

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")
ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".pgm")
"""Endings of the files that are played; all others are left alone."""
COUNTS = ("L", "I", "I;16", "I;16B", "I;16L")
"""Pillow's names of pictures with one channel of whole numbers."""
REASONS = {
    "P": "is a picture with a palette: its numbers are places in a list of colours; save it as grey",
    "F": "holds floating-point numbers; a camera counts: save it as whole numbers of 8 or 16 bits",
    "1": "is black and white, one bit a pixel; save it as grey of 8 or 16 bits",
}
"""Why a picture of another of Pillow's modes is refused."""
MOST_PIXELS = 1 << 28


@dataclass(frozen=True, slots=True)
class Page:
    """One image: a file, and which of its pages."""

    path: Path
    number: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written: its time and its size."""

    modified_ns: int
    size: int


class ImageFiles:
    """The images below a folder, but not in folders in it. Hidden files are left alone."""

    def __init__(self, folder: Path, bit_depth: int) -> None:
        self._folder, self._bits = folder, bit_depth
        self._counted: dict[Path, tuple[Stamp, int]] = {}

    def files(self) -> dict[Path, Stamp]:
        """Return the image files, "2.png" before "10.png". Raises DeviceDisconnectedError."""
        try:
            present = {path: about for path in self._folder.iterdir() if (about := _image(path))}
        except OSError as error:
            raise DeviceDisconnectedError(
                f"folder {self._folder}: cannot be read: {error.strerror or error}"
            ) from None
        return {path: present[path] for path in sorted(present, key=natural)}

    def pages(self) -> list[Page]:
        """Return all images, those of a file with several pages one after the other.

        Raises:
            DeviceDisconnectedError: If there is none, or a file cannot be read.
        """
        found: list[Page] = []
        for path, stamp in self.files().items():
            known = self._counted.get(path)
            if known is None or known[0] != stamp:
                known = stamp, self._read(path, _page_count)
                self._counted[path] = known
            found += [Page(path, number) for number in range(known[1])]
        if not found:
            raise DeviceDisconnectedError(
                f"folder {self._folder}: no image there; it needs files with the ending "
                f"{', '.join(ENDINGS)}"
            )
        return found

    def pages_of(self, path: Path) -> list[Page]:
        """Return the images of one file. Raises DeviceDisconnectedError if it cannot be read."""
        return [Page(path, number) for number in range(self._read(path, _page_count))]

    def counts(self, page: Page) -> CountArray:
        """Return the counts of an image, (height, width).

        Raises:
            DeviceDisconnectedError: If the file cannot be read.
            DeviceValueError: If it holds something else than counts of so many bits.
        """

        def pixels(image: Image.Image) -> CountArray:
            image.seek(page.number)
            return self._checked(page.path, image)

        return self._read(page.path, pixels)

    def _checked(self, path: Path, image: Image.Image) -> CountArray:
        if image.mode not in COUNTS:
            why = REASONS.get(image.mode, f"has channels of colour ({image.mode}); save it as grey")
            raise DeviceValueError(f"{path}: {why}")
        if image.width * image.height > MOST_PIXELS:
            raise DeviceValueError(f"{path}: {image.width} x {image.height} pixels are too many")
        pixels = np.asarray(image)
        low, high = int(pixels.min(initial=0)), int(pixels.max(initial=0))
        if low < 0:
            raise DeviceValueError(
                f"{path}: holds {low}; counts are not negative: subtract no background before"
            )
        if high >= 2**self._bits:
            raise DeviceValueError(
                f"{path}: holds {high}; camera.bit_depth = {self._bits} allows 0 ... {2**self._bits - 1}"
            )
        return pixels.astype(np.uint16)

    def _read(self, path: Path, act: Callable[[Image.Image], T]) -> T:
        from PIL import Image

        try:
            with Image.open(path) as image:
                return act(image)
        except DeviceError:
            raise
        except Exception as error:  # a damaged file makes Pillow raise whatever it likes
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise DeviceDisconnectedError(
                f"{path}: is no image that can be read: {reason}"
            ) from None


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return the key of the order in which a person counts: "frame 2" before "frame 10"."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], path.name


def _page_count(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def _image(path: Path) -> Stamp | None:
    """Return the stamp of an image file; None for a hidden one, another one, and one that has just gone."""
    if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
        return None
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    shown = stat.S_ISREG(about.st_mode) and not _hidden(about)
    return Stamp(about.st_mtime_ns, about.st_size) if shown else None


def _hidden(about: os.stat_result) -> bool:
    """Return whether Windows or macOS hides a file."""
    attributes = getattr(about, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_HIDDEN
    flags = getattr(about, "st_flags", 0) & stat.UF_HIDDEN
    return bool(attributes or flags)
