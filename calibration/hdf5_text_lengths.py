"""Check how long the texts of an HDF5 dataset say that they are, before memory for them is asked for."""

from __future__ import annotations

import struct
from pathlib import Path

import h5py

DESCRIPTOR = struct.Struct("<IQI")
"""Where a text lies: its length in bytes, its collection's address, and its number in the collection (HDF5
file format 4.0, IV.B)."""


def length_problem(dataset: h5py.Dataset, most_bytes: int) -> str | None:
    """Return which text of a list is too long or lies outside the file; None if none does.

    A damaged length of gigabytes would be allocated before the library finds that there is no such text.
    Texts that are stored in chunks are not looked at.

    Args:
        dataset: list of texts of variable length.
        most_bytes: longest text that is read.
    """
    string = h5py.check_string_dtype(dataset.dtype)
    start = dataset.id.get_offset()
    if string is None or string.length is not None or start is None:
        return None
    path = Path(dataset.file.filename)
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(len(dataset) * DESCRIPTOR.size)
    whole = len(content) - len(content) % DESCRIPTOR.size
    for number, (length, address, _) in enumerate(DESCRIPTOR.iter_unpack(content[:whole])):
        if length > min(most_bytes, size) or address >= size:
            found = f"{dataset.name}[{number}]: a text of {length:,} bytes at {address:,}"
            return f"{found}; the file has {size:,}"
    return None
