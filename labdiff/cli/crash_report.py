"""Save what a programmer needs when a command fails by a fault of labdiff; the user sees one line."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

FOLDER = Path("runs")
"""Folder of crash reports, below the current one; the system's temporary folder if it cannot be written."""
PACKAGES = ("labdiff", "numpy", "torch", "h5py", "PySide6-Essentials")


def save_crash_report(error: BaseException) -> Path | None:
    """Write an error's traceback, the command and the versions to a file.

    Args:
        error: the exception that nobody handled.

    Returns:
        The file; None if it could be written nowhere.
    """
    name = f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    text = "\n".join(
        [
            f"command: {' '.join(sys.argv)}",
            f"python {platform.python_version()} on {platform.platform()}",
            *(f"{package} {_version(package)}" for package in PACKAGES),
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    for folder in (FOLDER, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return path
        except OSError:
            continue
    return None


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"
