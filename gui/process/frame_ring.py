"""Camera frames from the process that has the camera to the window, through shared memory.

One writer, any number of readers, no lock: if one process dies, the other continues. A slot carries the
number of its frame twice. The writer sets the first before it touches the slot and the second when the
frame is complete; a reader takes a frame only if it finds the second before its copy and still the first
after it, so that no torn frame is ever returned. numpy releases the interpreter's lock around large
copies, which orders the stores on processors that would not do it by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing import shared_memory
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, Roi

SLOTS = 6
"""Number of slots: a reader may be one frame less late and still get each; 0.2 s at 30 frames/s."""
_PAGE = 4096
_KNOWN = 0x6C61626469666631
_PREFIX = np.dtype([("known", "<i8"), ("slots", "<i8"), ("slot_bytes", "<i8"), ("newest", "<i8")])
_NOTE = np.dtype(
    [
        ("begun", "<i8"),
        ("whole", "<i8"),
        ("sequence", "<i8"),
        ("pattern_id", "<i8"),
        ("timestamp_s", "<f8"),
        ("exposure_ms", "<f8"),
        ("saturated_fraction", "<f8"),
        ("top", "<i8"),
        ("left", "<i8"),
        ("height", "<i8"),
        ("width", "<i8"),
        ("bytes_a_count", "<i8"),
    ]
)
_NO_PATTERN = -1
_TRIES = 8
"""Number of tries to copy the newest frame; a writer that overwrites it each time leaves no time to show
anything, and the window must not wait.
"""


@dataclass(frozen=True, slots=True)
class NumberedFrame:
    """A frame from the ring.

    Attributes:
        number: Number of the frame among all that were put into the ring, from 1; a gap was missed.
        frame: The reader's own copy. Its pixels may be uint8 if the camera counts in bytes.
    """

    number: int
    frame: Frame


class FrameRing:
    """A ring of frames: `create` it in the window, `attach` to its name in the camera's process."""

    def __init__(self, memory: shared_memory.SharedMemory, owner: bool) -> None:
        self._memory, self._owner, self._closed = memory, owner, False
        self._prefix = np.ndarray((1,), _PREFIX, memory.buf)
        if not owner and int(self._prefix["known"][0]) != _KNOWN:
            del self._prefix
            memory.close()
            raise ValueError(f"shared memory {memory.name} holds no frames of ours")
        self._read = 0

    @classmethod
    def create(cls, sensor_shape: tuple[int, int], slots: int = SLOTS) -> FrameRing:
        """Create memory for frames of up to (height, width) of the sensor at two bytes a count."""
        slot_bytes = _pages(_NOTE.itemsize) + _pages(2 * sensor_shape[0] * sensor_shape[1])
        memory = shared_memory.SharedMemory(create=True, size=_PAGE + slots * slot_bytes)
        ring = cls(memory, owner=True)
        ring._prefix[0] = (_KNOWN, slots, slot_bytes, 0)
        return ring

    @classmethod
    def attach(cls, name: str) -> FrameRing:
        """Return the ring that another process created.

        Raises:
            ValueError: If the memory is not such a ring.
        """
        return cls(shared_memory.SharedMemory(name), owner=False)

    @property
    def name(self) -> str:
        """Name by which another process finds the ring."""
        return self._memory.name

    def put(self, frame: Frame) -> int:
        """Write a frame over the oldest and return its number; a new writer continues where one died.

        Raises:
            ValueError: If it is no (height, width) of uint8 or uint16, or larger than the sensor.
        """
        pixels: npt.NDArray[Any] = frame.pixels
        if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f"a frame of {pixels.dtype} {pixels.shape}; takes uint8, uint16 (h, w)"
            )
        if pixels.nbytes > self._slot_bytes - _pages(_NOTE.itemsize):
            raise ValueError(f"a frame of {pixels.shape} is larger than the sensor the ring is for")
        number = int(self._prefix["newest"][0]) + 1
        note = self._note(number)
        note["begun"] = number
        note["sequence"] = frame.sequence
        note["pattern_id"] = _NO_PATTERN if frame.pattern_id is None else frame.pattern_id
        note["timestamp_s"] = frame.timestamp_s
        note["exposure_ms"] = frame.exposure_ms
        note["saturated_fraction"] = frame.saturated_fraction
        note["top"], note["left"] = frame.roi.top, frame.roi.left
        note["height"], note["width"] = pixels.shape
        note["bytes_a_count"] = pixels.itemsize
        self._pixels(number, pixels.shape, pixels.dtype)[...] = pixels
        note["whole"] = number
        self._prefix["newest"] = number
        return number

    def newest(self) -> NumberedFrame | None:
        """Return the newest complete frame; None if there is none that was not returned before."""
        for _ in range(_TRIES):
            number = int(self._prefix["newest"][0])
            if number == self._read:
                return None
            found = self._copy(number)
            if found is not None:
                self._read = number
                return found
        return None

    def unread(self) -> list[NumberedFrame]:
        """Return copies of all frames since the last call that were not overwritten, oldest first."""
        number = int(self._prefix["newest"][0])
        oldest = max(self._read, number - int(self._prefix["slots"][0])) + 1
        found = [self._copy(n) for n in range(oldest, number + 1)]
        self._read = number
        return [entry for entry in found if entry is not None]

    def close(self) -> None:
        """Release the memory, and remove it if this process created it; may be called twice."""
        if self._closed:
            return
        self._closed = True
        del self._prefix
        self._memory.close()
        if self._owner:
            self._memory.unlink()

    @property
    def _slot_bytes(self) -> int:
        return int(self._prefix["slot_bytes"][0])

    def _copy(self, number: int) -> NumberedFrame | None:
        """Return a copy of a frame; None if it is not complete or was overwritten meanwhile."""
        live = self._note(number)
        if int(live["whole"][0]) != number:
            return None
        note = live[0].copy()
        if int(live["begun"][0]) != number:
            return None
        roi = Roi(*(int(note[key]) for key in ("top", "left", "height", "width")))
        dtype = np.dtype(np.uint8 if note["bytes_a_count"] == 1 else np.uint16)
        pixels = self._pixels(number, roi.shape, dtype).copy()
        if int(live["begun"][0]) != number:
            return None
        pattern = int(note["pattern_id"])
        frame = Frame(
            pixels,
            float(note["exposure_ms"]),
            float(note["timestamp_s"]),
            int(note["sequence"]),
            None if pattern == _NO_PATTERN else pattern,
            float(note["saturated_fraction"]),
            roi,
        )
        return NumberedFrame(number, frame)

    def _offset(self, number: int) -> int:
        return _PAGE + (number % int(self._prefix["slots"][0])) * self._slot_bytes

    def _note(self, number: int) -> npt.NDArray[Any]:
        return np.ndarray((1,), _NOTE, self._memory.buf, self._offset(number))

    def _pixels(
        self, number: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> npt.NDArray[Any]:
        first = self._offset(number) + _pages(_NOTE.itemsize)
        return np.ndarray(shape, dtype, self._memory.buf, first)


def _pages(size: int) -> int:
    """Return a size rounded up to whole pages: copies of aligned memory are faster."""
    return -(-size // _PAGE) * _PAGE
