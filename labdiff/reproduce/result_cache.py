"""Numbers that took long to find are kept in files, and found once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.job import Job
from labdiff.reproduce.result import Row


def kept_rows(path: Path, find: Callable[[], Job[list[Row]]]) -> Job[list[Row]]:
    """The rows in the file, or, if there is none, those that `find` finds; they are then kept there.

    Raises UserError if the file is damaged or cannot be written.
    """
    if path.exists():
        try:
            rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: cannot be read: {error}. Remove it to find it anew."
            ) from None
        return rows
    rows = yield from find()
    keep(path, json.dumps(rows, indent=1).encode())
    return rows


def keep(path: Path, content: bytes) -> None:
    """Write in one step. Raises UserError if that cannot be."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}. "
            "Choose a folder you may write to with --out."
        ) from None
