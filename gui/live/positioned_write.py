"""Writing of all bytes at a position of a file."""

from __future__ import annotations

import io
from typing import Any


def write_all(file: io.FileIO, offset: int, data: Any) -> None:
    """Write all bytes of a buffer.

    Args:
        file: An unbuffered file.
        offset: Position in the file.
        data: Anything with a buffer.

    Raises:
        OSError: If the disk does not take it; part of it may then be in the file.
    """
    file.seek(offset)
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[file.write(rest) :]
