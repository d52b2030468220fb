"""Find damage at which the HDF5 library never returns, before it is called.

Texts lie in collections of the "global heap" (HDF5 file format 4.0, III.E). The library walks along a
collection's objects by their sizes, and may stay for ever at a size that is damaged. Space that was freed
may hold an old collection that is overwritten in part, so a file that looks damaged here is tried in a
process of its own, which can be ended.
"""

from __future__ import annotations

import struct
import subprocess
from functools import lru_cache
from pathlib import Path

from drivers.own_process import package_environment, python_command

SIGNATURE = b"GCOL\x01\x00\x00\x00"
"""Beginning of a collection: its signature, version 1, and three reserved bytes."""
MOST_BYTES = 1 << 26
"""Bytes of a file that are looked through, from its beginning."""
OBJECT = struct.Struct("<HHIQ")
"""Header of an object: index (0 is free space), references, reserved, and its size in bytes."""
LONGEST_S = 120.0
"""Time after which a process that reads a file is ended, also on a busy computer."""


def never_returns(path: Path) -> bool:
    """Return whether the HDF5 library does not get through a file. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES)
    start = content.find(SIGNATURE)
    while start >= 0:
        if not _is_whole(content, start):
            state = path.stat()
            return not _gets_through(str(path), state.st_mtime_ns, state.st_size)
        start = content.find(SIGNATURE, start + len(SIGNATURE))
    return False


def _is_whole(content: bytes, start: int) -> bool:
    """Return whether the sizes of a collection's objects add up to its own."""
    if start + 16 > len(content):
        return True
    end = start + int.from_bytes(content[start + 8 : start + 16], "little")
    place = start + 16
    while place + OBJECT.size <= min(end, len(content)):
        index, _, _, size = OBJECT.unpack_from(content, place)
        if index == 0:  # the rest is free; its size counts this header
            return bool(size == end - place)
        place += OBJECT.size + (size + 7) // 8 * 8
    return place <= end


@lru_cache(maxsize=256)
def _gets_through(path: str, changed_ns: int, size: int) -> bool:
    """Read all texts of a file in another process; return whether it comes to an end by itself.

    Args:
        path: of the file.
        changed_ns: when it was changed, by which a file that was read already is known.
        size: of the file, bytes, likewise.
    """
    try:
        done = subprocess.run(
            python_command("calibration.hdf5_probe", path),
            env=package_environment(),
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
