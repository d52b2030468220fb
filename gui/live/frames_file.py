"""Frames that the live view recorded, read one at a time: the file may be larger than the memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from PIL import Image, TiffImagePlugin

from calibration.hdf5_reading import (
    StrangeFileError,
    find_array,
    names,
    open_hdf5,
    read_group,
    read_text,
    read_values,
)
from drivers.types import Frame, Roi
from gui.live.frame_metadata import NO_PATTERN, RecordingMetadata
from gui.process.frame_ring import NumberedFrame
from labdiff.errors import UserError

DEFINITION = "labdiff_frames"
_DESCRIPTION = 270
_MISREAD = (
    *(OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, SyntaxError),
    StrangeFileError,
)
"""Exceptions that h5py and Pillow raise for a damaged file, and for one that holds something else."""


class FramesFile(Protocol):
    """An open recording.

    Attributes:
        path: The file.
        metadata: What holds for all frames.
        count: Number of frames when it was opened.
    """

    path: Path
    metadata: RecordingMetadata
    count: int

    def read(self, place: int) -> NumberedFrame:
        """Return a frame by its place, from 0.

        Raises:
            UserError: If it cannot be read any more.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_frames(path: Path) -> FramesFile:
    """Open a recording of the live view.

    Raises:
        UserError: If it is missing, damaged, or nothing that labdiff recorded.
    """
    try:
        return _TiffFrames(path) if path.suffix == ".tif" else _Hdf5Frames(path)
    except _MISREAD as error:
        raise _unreadable(path, error) from None


def describe_recording(path: Path) -> tuple[RecordingMetadata, str] | None:
    """Return a recording's metadata and how many frames it has; None if the file is no recording.

    The frames are not read. Pages of a TIFF are not counted: that takes a walk along all of them.
    """
    try:
        if path.suffix == ".tif":
            with Image.open(path) as image:
                metadata, shape = _metadata_of(_description(image)), image.size[::-1]
            count = f"{path.stat().st_size / 1e6:.3g} MB"
        else:
            with open_hdf5(path) as file:
                entry = read_group(file, "entry")
                if read_text(entry, "definition", "") != DEFINITION:
                    return None
                metadata = _metadata_of(read_values(entry))
                frames, *shape = find_array(entry, "frames", "u", 3).shape
            count = f"{frames} frames" if frames != 1 else "1 frame"
    except _MISREAD:
        return None
    return metadata, f"{count}, {shape[1]} x {shape[0]} px, {metadata.bit_depth} bits"


class _Hdf5Frames:
    def __init__(self, path: Path) -> None:
        self.path = path
        # The recording may still grow: it takes no lock, and none is put in its way.
        self._file = h5py.File(path, "r", locking=False)
        with _closed_if_it_fails(self._file):
            entry = read_group(self._file, "entry")
            if read_text(entry, "definition", "") != DEFINITION:
                raise ValueError("not a recording of the live view")
            self.metadata = _metadata_of(read_values(entry))
            self._frames = find_array(entry, "frames", "u", 3)
            columns = read_group(entry, "columns")
            self._columns = {
                name: find_array(columns, name, dimensions=1) for name in names(columns)
            }
            self.count = len(self._frames)

    def read(self, place: int) -> NumberedFrame:
        """Return a frame."""
        try:
            row = {name: column[place] for name, column in self._columns.items()}
            return _frame_of(self._frames[place], row)
        except _MISREAD as error:
            raise _unreadable(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _TiffFrames:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._image = Image.open(path)
        with _closed_if_it_fails(self._image):
            self.metadata = _metadata_of(_description(self._image))
            self.count = int(getattr(self._image, "n_frames", 1))

    def read(self, place: int) -> NumberedFrame:
        """Return the frame of a page."""
        try:
            self._image.seek(place)
            return _frame_of(np.array(self._image), _description(self._image))
        except (*_MISREAD, EOFError) as error:
            raise _unreadable(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        self._image.close()


@contextmanager
def _closed_if_it_fails(file: h5py.File | Image.Image) -> Iterator[None]:
    try:
        yield
    except Exception:
        file.close()
        raise


def _description(image: Image.Image) -> Mapping[str, Any]:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        raise ValueError("not a TIFF file")
    known = json.loads(image.tag_v2[_DESCRIPTION])
    if not isinstance(known, dict):
        raise ValueError("its description is not that of a recording")
    return known


def _metadata_of(known: Mapping[str, Any]) -> RecordingMetadata:
    return RecordingMetadata(
        bench=str(known["bench"]),
        bit_depth=int(known["bit_depth"]),
        maximum_counts=int(known["maximum_counts"]),
        sensor_height=int(known["sensor_height"]),
        sensor_width=int(known["sensor_width"]),
        start_time=str(known["start_time"]),
        note=str(known.get("note", "")),
    )


def _frame_of(pixels: Any, row: Mapping[str, Any]) -> NumberedFrame:
    pattern = int(row["pattern_id"])
    frame = Frame(
        pixels=pixels,
        exposure_ms=float(row["exposure_ms"]),
        timestamp_s=float(row["timestamp_s"]),
        sequence=int(row["sequence"]),
        pattern_id=None if pattern == NO_PATTERN else pattern,
        saturated_fraction=float(row["saturated_fraction"]),
        roi=Roi(*(int(row[f"roi_{name}"]) for name in ("top", "left", "height", "width"))),
    )
    return NumberedFrame(int(row["number"]), frame)


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(
        f"{path}: not a readable recording ({error}). It may be cut off, gone or another format; "
        "recordings of the live view are .h5 or .tif files in a folder 'frames'."
    )
