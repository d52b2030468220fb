"""Arrays on the wire, without loss: their bytes sorted by weight, and deflated where that pays.

Pixels that are alike have alike high bytes, so those of a frame, or of a pattern in grey levels, lie beside
each other in long runs. What is random does not shrink, and is sent as it is.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.plain_text import plain_line
from drivers.types import Frame

LEVEL = 1
"""Level of deflate: higher ones take several times as long for a few per cent."""
TRIED_BYTES = 1 << 15
"""Length of the beginning of a plane of bytes that is deflated on trial."""
MOST_BYTES = 1 << 30
"""Size in memory of the largest array that is taken."""
PAYS = 0.9
"""Share to which that beginning has to shrink for the whole plane to be deflated."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An array ready to be sent: for each byte of an item, that byte of all items. deflated: which are."""

    planes: tuple[bytes, ...]
    deflated: tuple[bool, ...]
    dtype: str
    shape: tuple[int, ...]


@dataclass(slots=True)
class Traffic:
    """Bytes of arrays so far, in memory and as they were sent."""

    raw: int = 0
    sent: int = 0

    def count(self, value: Any) -> None:
        """Add the bytes of a packed value."""
        match value:
            case Packed():
                self.raw += int(np.prod(value.shape)) * np.dtype(value.dtype).itemsize
                self.sent += sum(len(plane) for plane in value.planes)
            case Frame():
                self.count(value.pixels)
            case list() | tuple():
                for item in value:
                    self.count(item)


def pack(value: Any) -> Any:
    """Return arrays, frames, and lists and tuples of them, ready to be sent; anything else unchanged."""
    match value:
        case np.ndarray():
            return _packed(value)
        case Frame():
            return _frame(value, _packed(value.pixels))
        case list() if value and all(isinstance(item, Frame) for item in value):
            # As one array: frames of a batch are alike, and many small pieces cost more than one large.
            pixels = np.stack([frame.pixels for frame in value])
            return (_packed(pixels), [_frame(frame, None) for frame in value])
        case list():
            return [pack(item) for item in value]
        case tuple():
            return tuple(pack(item) for item in value)
    return value


def unpack(value: Any) -> Any:
    """Return what was packed, to the bit. Raises DeviceValueError for what cannot have been packed."""
    match value:
        case Packed():
            return _unpacked(value)
        case Frame() if isinstance(value.pixels, Packed):
            return _frame(value, _unpacked(value.pixels))
        case (Packed(), list() as frames) if frames and isinstance(frames[0], Frame):
            pixels = _unpacked(value[0])
            return [_frame(f, p) for f, p in zip(frames, pixels, strict=True)]
        case list():
            return [unpack(item) for item in value]
        case tuple():
            return tuple(unpack(item) for item in value)
    return value


def _frame(like: Frame, pixels: Any) -> Frame:
    """Return the frame with other pixels, and nothing of what a camera may have put on it."""
    return Frame(
        pixels,
        like.exposure_ms,
        like.timestamp_s,
        like.sequence,
        like.pattern_id,
        like.saturated_fraction,
        like.roi,
    )


def _packed(array: npt.NDArray[Any]) -> Packed:
    size = array.dtype.itemsize
    by_weight = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, size).T
    planes, deflated = [], []
    for plane in by_weight:
        content = plane.tobytes()
        begin = content[:TRIED_BYTES]
        pays = bool(begin) and len(zlib.compress(begin, LEVEL)) < PAYS * len(begin)
        planes.append(zlib.compress(content, LEVEL) if pays else content)
        deflated.append(pays)
    return Packed(tuple(planes), tuple(deflated), array.dtype.str, array.shape)


def _unpacked(packed: Packed) -> npt.NDArray[Any]:
    """Return an array; nothing larger than it declares, or than MOST_BYTES, is inflated for it."""
    try:
        dtype = np.dtype(packed.dtype)
        count = math.prod(int(length) for length in packed.shape)
        if dtype.kind not in "biufc" or min(packed.shape, default=0) < 0:
            raise DeviceValueError("an array of numbers was expected")
        if count * dtype.itemsize > MOST_BYTES:
            raise DeviceValueError(f"an array of more than {MOST_BYTES >> 20} MB is not taken")
        planes = [
            _plane(plane, deflated, count)
            for plane, deflated in zip(packed.planes, packed.deflated, strict=True)
        ]
        whole = np.stack(planes, axis=1) if count else np.empty((0, dtype.itemsize), np.uint8)
        return whole.reshape(-1).view(dtype).reshape(packed.shape)
    except (TypeError, ValueError, zlib.error, OverflowError) as error:
        raise DeviceValueError(f"an array that arrived is damaged: {plain_line(error)}") from None


def _plane(content: bytes, deflated: bool, count: int) -> npt.NDArray[np.uint8]:
    """Return one byte of each of `count` items. Raises ValueError if there are not as many."""
    inflated = zlib.decompressobj().decompress(content, count + 1) if deflated else content
    if len(inflated) != count:
        raise ValueError(f"{len(inflated)} bytes in place of {count}")
    return np.frombuffer(inflated, np.uint8)
