"""Files that are whole at every moment: written beside their place, then put there in one step."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Let the file be these bytes, in one step. Raises OSError; the file is then as it was."""
    replace_whole(path, lambda file: file.write(content))


def replace_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let the file be what `write` puts into a new one, in one step.

    Raises what `write` raises, and OSError; the file is then as it was.
    """
    working = path.with_name(path.name + ".part")
    try:
        with working.open("wb") as file:
            write(file)
            file.flush()
            # Without it a power cut could leave the new name with the bytes not yet on the disk.
            os.fsync(file.fileno())
        _take_place(working, path)
    except OSError:
        # What it takes up is the room that somebody with a full disk looks for.
        with suppress(OSError):
            working.unlink(missing_ok=True)
        raise


def _take_place(working: Path, path: Path) -> None:
    """Replace, tried again while a reader on Windows holds the file for a moment."""
    for attempt in range(50):
        try:
            working.replace(path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 49:
                raise
            time.sleep(0.02)


def digest(text: str) -> str:
    """Ten characters that tell settings apart, for the name of a file."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]
