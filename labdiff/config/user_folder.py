"""The folder of this user's own settings on this computer."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder() -> Path:
    """Return LABDIFF_CONFIG, else the system's folder for a user's settings; it may not exist yet."""
    named = os.environ.get("LABDIFF_CONFIG")
    if named:
        return Path(named)
    if sys.platform == "win32" and os.environ.get("APPDATA"):
        return Path(os.environ["APPDATA"]) / "labdiff"
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "labdiff"


def read_lines(name: str) -> tuple[str, ...]:
    """Return the lines of a file of this user's; none if it cannot be read."""
    try:
        text = (user_folder() / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(line for line in text.splitlines() if line)


def add_line(name: str, line: str) -> None:
    """Add a line to a file of this user's, if it does not have it. Raises OSError."""
    if line in read_lines(name):
        return
    folder = user_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
