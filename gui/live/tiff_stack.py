"""Frames as pages of a TIFF file, the metadata of each as JSON in its ImageDescription."""

from __future__ import annotations

import io
import json
import os
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from gui.live.frame_metadata import RecordingMetadata, row_of
from gui.live.positioned_write import write_all
from gui.process.frame_ring import NumberedFrame

MOST_BYTES = 2**32 - 1
"""Largest size of a file: TIFF counts bytes in 32 bits."""
_HEADER_BYTES = 8
_ENTRY_BYTES = 12
_ALIGNED = 16
_IMAGE_DESCRIPTION = 270


class TiffStack:
    """One file of pages.

    Pillow makes each page for the place where it will lie. It is written behind the others and then the
    link of the page before is set, four bytes: the pages before are valid at every moment. Pillow's own
    way to append links a page before its offsets are right, and walks along all pages for each.

    Args:
        path: The file, which must not exist.
        metadata: What holds for all frames.
        first: The first frame.

    Raises:
        FileExistsError: If the file exists.
        OSError: If it cannot be written; `append` raises it too.
    """

    suffix = ".tif"

    def __init__(self, path: Path, metadata: RecordingMetadata, first: NumberedFrame) -> None:
        self.path, self._metadata = path, metadata
        self.shape, self.dtype = first.frame.pixels.shape, first.frame.pixels.dtype
        self.count = 0
        self._end = self._link = 0
        self._file = path.open("xb", buffering=0)
        try:
            self.append(first)
        except OSError:
            self._file.close()
            path.unlink(missing_ok=True)  # no complete frame is in it
            raise

    @property
    def full(self) -> bool:
        """True if the next frame needs another file."""
        return self._end + 2 * self._end // self.count > MOST_BYTES

    def append(self, entry: NumberedFrame) -> None:
        """Write a page and link it."""
        known = {**asdict(self._metadata), **row_of(entry)}
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[_IMAGE_DESCRIPTION] = json.dumps(known)
        pixels: Any = np.ascontiguousarray(entry.frame.pixels)
        place = -(-self._end // _ALIGNED) * _ALIGNED
        page = _Page(place)
        Image.fromarray(pixels).save(page, "TIFF", tiffinfo=tags)
        content = page.getvalue()
        write_all(self._file, place, content)
        # The file's own header stands before the first page's directory.
        directory = place if self.count else _HEADER_BYTES
        if self.count:
            write_all(self._file, self._link, struct.pack("<I", directory))
        (entries,) = struct.unpack_from("<H", content, directory - place)
        self._link = directory + 2 + entries * _ENTRY_BYTES
        self._end = place + len(content)
        self.count += 1

    def publish(self) -> None:
        """Do nothing: readers see every page as soon as it is written."""

    def close(self) -> None:
        """Cut off what a failed write left, and wait until all is on the disk."""
        try:
            self._file.truncate(self._end)
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


class _Page(io.BytesIO):
    """A page in memory for which Pillow counts bytes from the file's beginning."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place

    def tell(self) -> int:
        return super().tell() + self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset -= self._place
        return super().seek(offset, whence) + self._place
