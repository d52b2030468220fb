"""Where a command writes is tried before its work, and its printed output is brought to an end in order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from labdiff.atomic_write import require_replaceable, try_writing
from labdiff.errors import UserError

EXIT_OUTPUT = 74
"""Exit code of a command whose printed output could not be written (EX_IOERR of sysexits.h)."""
EXIT_NO_READER = 141
"""Exit code of a command whose printed output nobody reads any more, as of one ended by SIGPIPE."""


def check_output_file(path: Path) -> None:
    """Try whether a file can be written; its folder is created.

    Raises:
        UserError: names the file and why it cannot be written.

    Example:
        >>> check_output_file(Path("report.html"))
    """
    try:
        require_replaceable(path)
        try_writing(path.parent)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}. Choose another file with --out."
        ) from None


def check_output_folder(folder: Path) -> None:
    """Try whether files can be written into a folder, which is created. Raises UserError."""
    try:
        try_writing(folder)
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written: {error.strerror or error}. "
            "Choose a folder you may write to with --out."
        ) from None


def open_missing_streams() -> None:
    """Replace standard streams that the program was started without, by ones that take everything.

    Else the next file that is opened would get their number, and what a library prints.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def end_output(code: int) -> int:
    """Write what is still to be printed, and return the command's exit code.

    code: so far; `EXIT_NO_READER` if a print has failed because nobody reads any more, as after `| head`.
    """
    reader_gone = code == EXIT_NO_READER
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        reader_gone = True
    except OSError as error:
        _discard()
        reason = error.strerror or error
        print(f"labdiff: standard output cannot be written: {reason}", file=sys.stderr)
        return code or EXIT_OUTPUT
    if not reader_gone:
        return code
    _discard()
    print("labdiff: standard output was closed by its reader", file=sys.stderr)
    return code or EXIT_NO_READER


def _discard() -> None:
    """Let what is still to be printed go nowhere: at its end Python would complain about it."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
