"""Pixels as cameras pack them, written down bit by bit from the formats' definitions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.camera.bit_packing import bits_of


def packed(pixels: npt.NDArray[np.uint16], pixel_format: str) -> npt.NDArray[np.uint8]:
    """Return the bytes of pixels, written down bit by bit from the formats' definitions."""
    bits = bits_of(pixel_format)
    if bits == 8:
        return pixels.astype(np.uint8)
    if pixel_format.endswith("p"):
        stream = sum(int(value) << (bits * index) for index, value in enumerate(pixels))
        return np.frombuffer(stream.to_bytes(len(pixels) * bits // 8, "little"), np.uint8)
    low = bits - 8
    found: list[int] = []
    if pixel_format.endswith("Packed"):
        for first, second in pixels.reshape(-1, 2).tolist():
            lowest = (first & (2**low - 1)) | (second & (2**low - 1)) << 4
            found += [first >> low, lowest, second >> low]
    elif pixel_format.endswith("IDS"):
        in_group = 8 // low
        for group in pixels.reshape(-1, in_group).tolist():
            lowest = sum((value & (2**low - 1)) << (low * at) for at, value in enumerate(group))
            found += [*(value >> low for value in group), lowest]
    else:
        return pixels.astype("<u2").view(np.uint8)
    return np.array(found, np.uint8)
