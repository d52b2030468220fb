"""Store numbers that take long to compute in files, so that they are computed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.job import Job
from labdiff.reproduce.result import Row


def cached_rows(path: Path, find: Callable[[], Job[list[Row]]]) -> Job[list[Row]]:
    """Return the rows of a file; if there is none, compute them with `find` and write the file.

    Raises UserError if the file is damaged or cannot be written.
    """
    if path.exists():
        try:
            rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: cannot be read: {error}. Remove it to compute it again."
            ) from None
        return rows
    rows = yield from find()
    write_file(path, json.dumps(rows, indent=1).encode())
    return rows


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises UserError if it cannot be written."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}. "
            "Choose a folder you may write to with --out."
        ) from None
