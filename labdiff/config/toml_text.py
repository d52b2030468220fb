"""Read TOML text from outside: of bounded size and depth, and with one line for whatever is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from labdiff.errors import UserError, reading

MOST_CHARACTERS = 1 << 20
"""Longest text that is read; a bench file has some thousand characters."""
DEEPEST = 32
"""Deepest nesting of lists and tables, and most parts of a key."""
LONG_KEY = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++\s*+\.\s*+){{{DEEPEST},}}")
"""A key of more parts than any table has; the parser's memory grows with their square.

The search begins at whole words alone and never goes back, so that a long word costs no more than one pass.
"""
BRACKETS = re.compile(r"[\[\]{}]")


def read_toml_file(path: Path, expected: str) -> str:
    """Return the text of a TOML file.

    Args:
        path: of the file.
        expected: what the file would be, as "a bench file", for messages.

    Raises:
        UserError: if it cannot be read, is no UTF-8 text, or too long.
    """
    with reading(path, expected):
        if path.exists() and not path.is_file():
            raise UserError(f"{path}: is no regular file; expected {expected}")
        if not path.is_file():
            raise FileNotFoundError
        size = path.stat().st_size
        if size > MOST_CHARACTERS:
            raise UserError(f"{path}: {size:,} bytes; {expected} has at most {MOST_CHARACTERS:,}")
        return path.read_text(encoding="utf-8-sig")


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Args:
        text: TOML; a byte order mark in front is passed over.
        name: what messages call it, as its path.

    Raises:
        UserError: if it is no TOML, or nested deeper than any of our files.
    """
    if _depth(text) > DEEPEST or LONG_KEY.search(text):
        raise UserError(f"{name}: not valid TOML: nested more than {DEEPEST} deep")
    with reading(f"{name}: not valid TOML", "TOML: [tables] of key = value"):
        return tomllib.loads(text.removeprefix("\ufeff"))


def _depth(text: str) -> int:
    """Return the deepest nesting of brackets; those inside texts count too, which is harmless."""
    deepest = depth = 0
    for bracket in BRACKETS.finditer(text):
        depth = max(depth + (1 if bracket[0] in "[{" else -1), 0)
        deepest = max(deepest, depth)
    return deepest
