"""A file opened for changes that stay in memory until they are saved."""

from __future__ import annotations

import io
import os
import shutil
from typing import Any, BinaryIO

PAGE_BYTES = 1 << 15
"""Size of the pages in which changes are stored in memory."""


class Overlay(io.RawIOBase):
    """A file object for HDF5: reads come from the old file, writes stay in memory until `save`.

    It takes as much memory as the changes, however large the file is. HDF5 never meets an error of the
    disk, at which it may end the interpreter.
    """

    def __init__(self, base: BinaryIO) -> None:
        super().__init__()
        self._base = base
        self._base_bytes = base.seek(0, os.SEEK_END)
        self._pages: dict[int, bytearray] = {}
        self._bytes = self._base_bytes
        self._position = 0

    def readable(self) -> bool:
        """Return True: the file can be read."""
        return True

    def writable(self) -> bool:
        """Return True: the file can be written."""
        return True

    def seekable(self) -> bool:
        """Return True: the file can be positioned."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position in the file; return it, counted in bytes from the start."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._bytes}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the position in the file."""
        return self._position

    def readinto(self, target: Any) -> int:
        """Read into a buffer from the position on; return the number of bytes read."""
        wanted = memoryview(target).cast("B")
        count = max(min(len(wanted), self._bytes - self._position), 0)
        done = 0
        while done < count:
            page, first = divmod(self._position + done, PAGE_BYTES)
            length = min(PAGE_BYTES - first, count - done)
            wanted[done : done + length] = self._read(page)[first : first + length]
            done += length
        self._position += count
        return count

    def write(self, content: Any) -> int:
        """Write bytes at the position; return their number."""
        source = memoryview(content).cast("B")
        done = 0
        while done < len(source):
            page, first = divmod(self._position + done, PAGE_BYTES)
            length = min(PAGE_BYTES - first, len(source) - done)
            self._change(page, first, source[done : done + length])
            done += length
        self._position += len(source)
        self._bytes = max(self._bytes, self._position)
        return len(source)

    def truncate(self, size: int | None = None) -> int:
        """Set the size of the file, to the position if none is given; return it."""
        self._bytes = self._position if size is None else size
        return self._bytes

    def flush(self) -> None:
        """Do nothing: changes stay in memory until `save`."""

    def save(self, target: BinaryIO) -> None:
        """Write the old content with the changes into an empty file."""
        self._base.seek(0)
        shutil.copyfileobj(self._base, target, 1 << 20)
        for page in sorted(self._pages):
            target.seek(page * PAGE_BYTES)
            target.write(self._pages[page])
        target.truncate(self._bytes)

    @property
    def pages(self) -> int:
        """Number of pages that differ from the old file."""
        return len(self._pages)

    def _change(self, page: int, first: int, content: memoryview) -> None:
        old = self._read(page)
        end = first + len(content)
        if page not in self._pages:
            if bytes(content) == old[first:end]:
                return  # most of what a checkpoint writes is unchanged
            self._pages[page] = bytearray(old)
        self._pages[page][first:end] = content

    def _read(self, page: int) -> bytes | bytearray:
        """Return a whole page; beyond the end of the old file it is zero."""
        changed = self._pages.get(page)
        if changed is not None:
            return changed
        self._base.seek(page * PAGE_BYTES)
        return self._base.read(PAGE_BYTES).ljust(PAGE_BYTES, b"\0")
