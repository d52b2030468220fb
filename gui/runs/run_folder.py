"""Folders of the runs that the window starts."""

from __future__ import annotations

from pathlib import Path


def new_run_folder(out: Path) -> Path:
    """Return the first folder `gui-N` of the runs that has no run yet."""
    number = 1
    while (out / f"gui-{number}" / "run.h5").exists():
        number += 1
    return out / f"gui-{number}"
