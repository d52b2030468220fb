"""From a camera's buffer to counts: GenICam's monochrome pixel formats (PFNC 2.4), packed ones too.

A colour camera's own counts come in the same ways, and the format names the filters of the first two
pixels: "BayerRG12p".

"Mono12p" runs on, lowest bit first, over the bytes. "Mono12Packed" is GigE Vision's older way: the two
pixels' high bytes stand first and last, their low bits share the byte between. IDS groups: the high bytes
of all pixels of a group stand first, and their low bits, the first pixel's lowest, share the last byte
(IDS peak manual, monochrome pixel formats).
"""

from __future__ import annotations

import re
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.types import CountArray

Bytes = npt.NDArray[np.uint8]
KNOWN = (
    "Mono16", "Mono14", "Mono12", "Mono12p", "Mono12Packed", "Mono12g24IDS",
    "Mono10", "Mono10p", "Mono10Packed", "Mono10g40IDS", "Mono8",
)  # fmt: skip
"""Pixel formats in the order in which one is chosen: finest first, whole words before packed ones."""
BAYER = re.compile(r"^Bayer(RG|GR|GB|BG)")
"""Beginning of the names of a colour camera's own counts."""


def as_mono(pixel_format: str) -> str:
    """Return the monochrome format whose bytes are laid out alike: "Mono12p" of "BayerRG12p"."""
    return BAYER.sub("Mono", pixel_format)


def bits_of(pixel_format: str) -> int:
    """Return the bits of one count. Raises DeviceValueError for a format of interpolated colours."""
    mono = as_mono(pixel_format)
    if mono not in KNOWN:
        raise DeviceValueError(f"pixel format {pixel_format!r}; allowed are {', '.join(KNOWN)}")
    return int("".join(takewhile(str.isdigit, mono.removeprefix("Mono"))))


def unpack(buffer: Bytes, pixel_format: str, shape: tuple[int, int]) -> CountArray:
    """Return counts (height, width), right-justified, of a buffer of bytes without padding between rows.

    Args:
        buffer: the bytes.
        pixel_format: GenICam's name, such as "Mono12p".
        shape: (height, width).

    Raises:
        DeviceValueError: the buffer is too short.
    """
    bits, pixels = bits_of(pixel_format), shape[0] * shape[1]
    pixel_format = as_mono(pixel_format)
    if pixel_format.endswith("IDS"):
        in_group = 4 if bits == 10 else 2
        size, read = -(-pixels // in_group) * (in_group + 1), _grouped
    elif pixel_format.endswith("Packed"):
        size, read = -(-pixels // 2) * 3, _packed
    elif pixel_format.endswith("p"):
        size, read = -(-pixels * bits // 8), _running_on
    else:
        size, read = pixels * (1 if bits == 8 else 2), _whole_words
    if len(buffer) < size:
        raise DeviceValueError(
            f"{len(buffer)} bytes for {shape[0]} x {shape[1]} pixels of {pixel_format}; needed are {size}"
        )
    return read(buffer[:size], bits)[:pixels].reshape(shape)


def _whole_words(buffer: Bytes, bits: int) -> CountArray:
    return buffer.astype(np.uint16) if bits == 8 else buffer.view("<u2").astype(np.uint16)


def _running_on(buffer: Bytes, bits: int) -> CountArray:
    """Return the counts of groups of whole bytes: 2 pixels in 3 bytes, or 4 in 5."""
    in_group = {10: 5, 12: 3}[bits]
    groups = np.zeros((-(-len(buffer) // in_group), in_group), np.uint8)
    groups.reshape(-1)[: len(buffer)] = buffer
    words = groups.astype(np.uint16)
    pixels = np.empty((len(groups), in_group * 8 // bits), np.uint16)
    for pixel in range(pixels.shape[1]):
        first, offset = divmod(pixel * bits, 8)
        value = words[:, first] >> offset | words[:, first + 1] << (8 - offset)
        pixels[:, pixel] = value & (2**bits - 1)
    return pixels.reshape(-1)


def _packed(buffer: Bytes, bits: int) -> CountArray:
    """Return the counts of two pixels in three bytes, of 12 bits or 10, of which two lie in each half."""
    groups = buffer.reshape(-1, 3).astype(np.uint16)
    low = bits - 8
    pixels = np.empty((len(groups), 2), np.uint16)
    pixels[:, 0] = groups[:, 0] << low | groups[:, 1] & (2**low - 1)
    pixels[:, 1] = groups[:, 2] << low | groups[:, 1] >> 4 & (2**low - 1)
    return pixels.reshape(-1)


def _grouped(buffer: Bytes, bits: int) -> CountArray:
    """Return the counts of groups: 2 pixels of 12 bits in 3 bytes, or 4 of 10 bits in 5."""
    low = bits - 8
    in_group = 8 // low
    groups = buffer.reshape(-1, in_group + 1).astype(np.uint16)
    shifts = low * np.arange(in_group)
    lowest = groups[:, -1:] >> shifts & (2**low - 1)
    pixels: CountArray = (groups[:, :-1] << low | lowest).astype(np.uint16)
    return pixels.reshape(-1)
