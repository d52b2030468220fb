"""A file with changes that are still in memory alone."""

from __future__ import annotations

import io
import os
import shutil
from typing import Any, BinaryIO

PAGE_BYTES = 1 << 15


class Overlay(io.RawIOBase):
    """What HDF5 works on: it reads the old file, and what it writes stays here until `save`.

    Takes as much memory as was changed, however large the file is. HDF5 never meets the disk's errors,
    at which it may end the interpreter.
    """

    def __init__(self, base: BinaryIO) -> None:
        super().__init__()
        self._base = base
        self._base_bytes = base.seek(0, os.SEEK_END)
        self._pages: dict[int, bytearray] = {}
        self._bytes = self._base_bytes
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def writable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; returns it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._bytes}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """The present place."""
        return self._place

    def readinto(self, target: Any) -> int:
        """Fill the target from the present place on; returns how many bytes there were."""
        wanted = memoryview(target).cast("B")
        count = max(min(len(wanted), self._bytes - self._place), 0)
        done = 0
        while done < count:
            page, first = divmod(self._place + done, PAGE_BYTES)
            length = min(PAGE_BYTES - first, count - done)
            wanted[done : done + length] = self._read(page)[first : first + length]
            done += length
        self._place += count
        return count

    def write(self, content: Any) -> int:
        """Put bytes at the present place."""
        source = memoryview(content).cast("B")
        done = 0
        while done < len(source):
            page, first = divmod(self._place + done, PAGE_BYTES)
            length = min(PAGE_BYTES - first, len(source) - done)
            self._change(page, first, source[done : done + length])
            done += length
        self._place += len(source)
        self._bytes = max(self._bytes, self._place)
        return len(source)

    def truncate(self, size: int | None = None) -> int:
        """End the file at a place, the present one if none is given."""
        self._bytes = self._place if size is None else size
        return self._bytes

    def flush(self) -> None:
        """Nothing waits to be written: it is all kept here until `save`."""

    def save(self, target: BinaryIO) -> None:
        """Write old content and changes to a file that is empty."""
        self._base.seek(0)
        shutil.copyfileobj(self._base, target, 1 << 20)
        for page in sorted(self._pages):
            target.seek(page * PAGE_BYTES)
            target.write(self._pages[page])
        target.truncate(self._bytes)

    @property
    def pages(self) -> int:
        """How many pages differ from the old file."""
        return len(self._pages)

    def _change(self, page: int, first: int, content: memoryview) -> None:
        old = self._read(page)
        end = first + len(content)
        if page not in self._pages:
            if bytes(content) == old[first:end]:
                return  # most of what a checkpoint writes is as it was
            self._pages[page] = bytearray(old)
        self._pages[page][first:end] = content

    def _read(self, page: int) -> bytes | bytearray:
        """A whole page; zeros beyond the end of the old file."""
        changed = self._pages.get(page)
        if changed is not None:
            return changed
        self._base.seek(page * PAGE_BYTES)
        return self._base.read(PAGE_BYTES).ljust(PAGE_BYTES, b"\0")
