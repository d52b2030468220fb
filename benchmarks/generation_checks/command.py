"""A new user's first picture: `labdiff generate` with the pretrained layers, from the command on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.setting import Setting


def measure(setting: Setting) -> tuple[list[Claim], dict[str, Any]]:
    """The wall time of the command, interpreter's start and imports included."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "digits.png"
        started_s = time.monotonic()
        # Not in the benchmarks' own folder: calibration.py in it would hide the package.
        subprocess.run(
            [sys.executable, "-m", "labdiff", "generate", "--out", str(picture)],
            check=True,
            capture_output=setting.quiet,
            cwd=folder,
        )
        spent_s = time.monotonic() - started_s
        kilobytes = picture.stat().st_size / 1e3
    return [claim("seconds of labdiff generate, 16 digits", spent_s, "<= 20")], {
        "picture_kilobytes": kilobytes
    }
