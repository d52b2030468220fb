"""Python in a process of its own, with this repository on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with the repository first on Python's path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **changes}


def python(
    *arguments: str,
    cwd: Path = ROOT,
    check: bool = False,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run Python to its end and return what it printed.

    Args:
        *arguments: Of the interpreter, as "-m", "labdiff", "devices".
        cwd: Where it runs.
        check: Raise CalledProcessError if the exit code is not 0.
        variables: Environment variables besides this process's own.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment(**(variables or {})),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=check,
    )
