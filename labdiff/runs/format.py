"""The number of a file's format: what a newer labdiff has written is refused in one line."""

from __future__ import annotations

from pathlib import Path

from labdiff.errors import UserError

FORMAT = "format"
"""Attribute with the number of a file's format; a file without it is of format 1."""


def check_format(path: Path, found: int, newest: int, oldest: int = 1) -> None:
    """Refuse a file of a format that is not read.

    Args:
        path: of the file.
        found: number of its format.
        newest: number of the newest format that is read, and the one that is written.
        oldest: number of the oldest format that is read.

    Raises:
        UserError: if it is newer, or older.
    """
    if found > newest:
        raise UserError(
            f"{path}: written by a newer labdiff, format {found}; this one reads up to {newest}. "
            "Install a newer one"
        )
    if found < oldest:
        raise UserError(f"{path}: of format {found}; this labdiff reads {oldest} to {newest}")
