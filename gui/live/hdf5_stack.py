"""Frames in one growing HDF5 file that is valid at every moment and that HDF5 itself never writes.

    /entry               attrs: the fields of `RecordingMetadata`
    /entry/frames        (n, height, width) counts, uint8 or uint16
    /entry/columns/...   (n,) one for each entry of `row_of`

HDF5 in place can be left torn, and a full disk makes it end the interpreter (decision 5). So the file has
two parts. All of HDF5's own structures lie in front, in a space whose size does not depend on n: the
columns have one chunk of the largest n. The frames lie behind, one after the other, as plain bytes.
A frame is appended by plain Python. From time to time the front for the present n is made in memory
and the pages of it that changed are written, the first, which tells HDF5 how long the file is, last.
"""

from __future__ import annotations

import io
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from gui.live.frame_metadata import RecordingMetadata, row_of
from gui.live.positioned_write import write_all
from gui.process.frame_ring import NumberedFrame

MOST_FRAMES = 4096
_PAGE = 4096
_LARGE = 32768
"""Size from which HDF5 places an object at the start of a page: every column's chunk is as large."""


class Hdf5Stack:
    """One file of frames of one shape.

    Args:
        path: The file, which must not exist.
        metadata: What holds for all frames.
        first: The first frame, whose shape all others have.

    Raises:
        FileExistsError: If the file exists.
        OSError: If it cannot be written; `append` and `publish` raise it too.
    """

    suffix = ".h5"

    def __init__(self, path: Path, metadata: RecordingMetadata, first: NumberedFrame) -> None:
        pixels: Any = np.ascontiguousarray(first.frame.pixels)
        self.path, self._metadata = path, metadata
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self._rows: list[dict[str, int | float]] = [row_of(first)]
        front, self._front_bytes = self._front()
        self._front_written = bytes(len(front))
        self._file = path.open("xb", buffering=0)
        try:
            write_all(self._file, self._front_bytes, pixels)
            self.publish()
        except OSError:
            self._file.close()
            path.unlink(missing_ok=True)  # no complete frame is in it
            raise

    @property
    def count(self) -> int:
        """Number of frames in the file."""
        return len(self._rows)

    @property
    def full(self) -> bool:
        """True if the next frame needs another file."""
        return self.count >= MOST_FRAMES

    def append(self, entry: NumberedFrame) -> None:
        """Write a frame behind the others; readers see it from the next `publish` on."""
        pixels: Any = np.ascontiguousarray(entry.frame.pixels)
        write_all(self._file, self._front_bytes + self.count * pixels.nbytes, pixels)
        self._rows.append(row_of(entry))

    def publish(self) -> None:
        """Make the frames that were appended visible to readers."""
        front, begin = self._front()
        if begin != self._front_bytes:
            raise AssertionError(f"HDF5 would place the frames at {begin}, not {self._front_bytes}")
        pages = range(0, len(front), _PAGE)
        changed = [p for p in pages if front[p : p + _PAGE] != self._front_written[p : p + _PAGE]]
        for page in reversed(changed):
            write_all(self._file, page, front[page : page + _PAGE])
        self._front_written = front

    def close(self) -> None:
        """Publish all frames, cut off what a failed write left, and wait until all is on the disk."""
        try:
            self.publish()
            frame_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
            self._file.truncate(self._front_bytes + self.count * frame_bytes)
            os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def _front(self) -> tuple[bytes, int]:
        """Return HDF5's part of the file with the present frames, and where the frames begin."""
        image = _Front()
        frame_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        # Whatever is as large as a frame begins on a page, for every n: so the frames never move.
        placed = {
            "alignment_threshold": min(_LARGE, frame_bytes),
            "alignment_interval": _PAGE,
        }
        with h5py.File(image, "w", **placed) as file:
            file.attrs["default"] = "entry"
            entry = file.create_group("entry")
            entry.attrs["NX_class"] = "NXentry"
            entry.attrs["definition"] = "labdiff_frames"
            entry.attrs.update(asdict(self._metadata))
            # In a group of their own, in which nothing grows when the frames are added to the entry.
            columns = entry.create_group("columns")
            for name in self._rows[0]:
                values = np.array([row[name] for row in self._rows])
                columns.create_dataset(
                    name, data=values, chunks=(MOST_FRAMES,), maxshape=(MOST_FRAMES,)
                )
            file.flush()
            begin = self._place_frames(entry)
        return image.before(begin), begin

    def _place_frames(self, entry: h5py.Group) -> int:
        """Create the frames' dataset without writing it, and return where in the file it lies."""
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        kind = h5py.h5t.py_create(self.dtype)
        space = h5py.h5s.create_simple((self.count, *self.shape))
        frames = h5py.h5d.create(entry.id, b"frames", kind, space, plan)
        h5py.Dataset(frames).attrs["units"] = "counts"
        return int(frames.get_offset())


class _Front(io.RawIOBase):
    """A file in memory that stores only the bytes that HDF5 writes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._at = 0

    def before(self, end: int) -> bytes:
        """Return all bytes, which end there at the latest."""
        if len(self._bytes) > end:
            raise AssertionError("HDF5 put something of its own behind the frames")
        return bytes(self._bytes).ljust(end, b"\0")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._bytes)}[whence]
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        end = self._at + len(data)
        if end > len(self._bytes):
            self._bytes.extend(bytes(end - len(self._bytes)))
        self._bytes[self._at : end] = data
        self._at = end
        return len(data)

    def readinto(self, buffer: Any) -> int:
        found = bytes(self._bytes[self._at : self._at + len(buffer)]).ljust(len(buffer), b"\0")
        buffer[:] = found
        self._at += len(buffer)
        return len(buffer)

    def truncate(self, size: int | None = None) -> int:
        """Ignore that HDF5 makes the file as long as the frames will be; they are not here."""
        return self._at if size is None else size

    def flush(self) -> None:
        pass
