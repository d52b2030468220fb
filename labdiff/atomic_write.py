"""Write files atomically: into a working file beside the target, which then takes the target's place.

Whoever reads the target at any moment finds either the old content or the new one, never a part.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

OLD_S = 3600.0
"""Age beyond which nobody writes a working file any more, seconds."""
PROBE_BYTES = 1 << 16
"""Size of the file that tries whether a folder can be written to; a full disk has no room for it."""


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Replace a file's content by these bytes in one step. Raises OSError; the file is then unchanged."""
    replace_atomically(path, lambda file: file.write(content))


def replace_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace a file in one step by what `write` writes into a new one.

    Raises what `write` raises, and OSError; the file is then unchanged.
    """
    require_replaceable(path)
    # A name of its own: of two programs that write one file neither takes the other's part.
    working = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    try:
        with working.open("wb") as file:
            write(file)
            file.flush()
            # Without it a power cut could leave the new name with the bytes not yet on the disk.
            os.fsync(file.fileno())
        _rename(working, path)
    except OSError:
        # On a full disk the working file takes up the room that the user needs.
        with suppress(OSError):
            working.unlink(missing_ok=True)
        raise


def try_writing(folder: Path) -> None:
    """Create a folder, and write and remove a small file in it. Raises OSError if that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".labdiff.{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def require_replaceable(path: Path) -> None:
    """Raise OSError for a folder, a device or a pipe: a file would take its place, as that of /dev/null."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no regular file", str(path))


def remove_old_parts(path: Path) -> None:
    """Remove the working files that killed programs have left of a file, those older than an hour."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > OLD_S:
                part.unlink()


def _rename(working: Path, path: Path) -> None:
    """Rename the working file; on Windows try again while a reader holds the target open."""
    for attempt in range(50):
        try:
            working.replace(path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 49:
                raise
            time.sleep(0.02)


def digest(text: str) -> str:
    """Return ten hexadecimal digits of a text's SHA-256, to name a file by its settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]
