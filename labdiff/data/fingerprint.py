"""The checksum of the files of a data set, by which other pictures are told from the same ones."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from labdiff.data.readers.picture import SUFFIXES

IDX = "-ubyte"
"""Part of the name of every idx file."""


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, or of names and contents of the pictures and idx files in a folder.

    Files that systems or people put beside them do not count. Raises OSError if one cannot be read.
    """
    total = hashlib.sha256()
    if path.is_file() and IDX not in path.name:
        _add(total, path)
        return total.hexdigest()
    # Images and labels of the idx format are files beside each other.
    folder = path if path.is_dir() else path.parent
    for file in _files(folder):
        total.update(file.relative_to(folder).as_posix().encode() + b"\0")
        _add(total, file)
    return total.hexdigest()


def _files(folder: Path) -> list[Path]:
    found, seen = [], set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        found += [Path(root, name) for name in files if _counts(name)]
    return sorted(path for path in found if path.is_file())


def _counts(name: str) -> bool:
    return not name.startswith(".") and (Path(name).suffix.lower() in SUFFIXES or IDX in name)


def _add(total: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
        total.update(b"\0")
