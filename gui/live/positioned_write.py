"""Plain bytes at a place of a file, all of them."""

from __future__ import annotations

import io
from typing import Any


def write_all(file: io.FileIO, offset: int, data: Any) -> None:
    """Write what has a buffer. Raises OSError; part of it may then stand in the file."""
    file.seek(offset)
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[file.write(rest) :]
