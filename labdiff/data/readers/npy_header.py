"""Check what the header of a numpy array promises before any of its pixels are read."""

from __future__ import annotations

import ast
import math
from typing import IO, Any

import numpy as np

from labdiff.data.readers.raw import MOST_BYTES
from labdiff.errors import UserError

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
"""Longest header, in characters, that is parsed; numpy's own limit."""


def check_npy(file: IO[bytes], stored_bytes: int, where: str) -> None:
    """Read the header of a .npy file and leave the file at its beginning.

    Args:
        file: opened at its beginning; it must be able to seek.
        stored_bytes: bytes that the file holds, header included.
        where: file and key, for messages.

    Raises:
        UserError: if it is no .npy file, promises more than the file holds, or more than is read.
    """
    shape, dtype = _header(file, where)
    promised, held = math.prod(shape) * dtype.itemsize, stored_bytes - file.tell()
    if dtype.hasobject:
        raise UserError(
            f"{where}: not a readable npy file: it holds Python objects, and allow_pickle is never "
            "used; store numbers"
        )
    if promised > held:
        raise UserError(
            f"{where}: its header promises {promised:,} bytes, shape {shape}; "
            f"the file holds {max(held, 0):,}; it is damaged or cut short"
        )
    if promised > MOST_BYTES:
        raise UserError(
            f"{where}: {promised:,} bytes, shape {shape}; more than {MOST_BYTES:,} are not read; "
            "store fewer images, or bytes in place of floats"
        )
    file.seek(0)


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type that the header names (numpy.lib.format, versions 1 to 3)."""
    start = file.read(8)
    version = start[6] if len(start) == 8 else 0
    if start[:6] != MAGIC or version not in (1, 2, 3):
        raise UserError(f"{where}: not a readable npy file: it does not begin as one")
    length = int.from_bytes(file.read(2 if version == 1 else 4), "little")
    if length > LONGEST_HEADER:
        raise UserError(f"{where}: not a readable npy file: its header has {length:,} characters")
    try:
        header = ast.literal_eval(file.read(length).decode("latin1" if version < 3 else "utf-8"))
        shape, dtype = tuple(int(n) for n in header["shape"]), np.dtype(header["descr"])
    except Exception:  # whatever a damaged header makes the parser or numpy raise
        raise UserError(f"{where}: not a readable npy file: its header is damaged") from None
    if any(n < 0 for n in shape):
        raise UserError(f"{where}: not a readable npy file: shape {shape}")
    return shape, dtype
