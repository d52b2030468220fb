"""A new user's first picture: `labdiff generate` with the pretrained layers, from the command on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.claims import claim
from benchmarks.generation_checks.units import Units
from benchmarks.parts import Outcome


def measure(units: Units) -> Outcome:
    """Measure the wall time of the command, interpreter's start and imports included."""
    whole: tuple[str, ...] = ()
    fewer = units.setting.amount(
        "options of labdiff generate",
        smoke=("--count", "1", "--steps", "2"),
        quick=whole,
        full=whole,
    )
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "digits.png"
        started_s = time.monotonic()
        # Not in the benchmarks' own folder: calibration.py in it would hide the package.
        subprocess.run(
            [sys.executable, "-m", "labdiff", "generate", "--out", str(picture), *fewer],
            check=True,
            capture_output=units.setting.quiet,
            cwd=folder,
        )
        spent_s = time.monotonic() - started_s
        kilobytes = picture.stat().st_size / 1e3
    claims = [claim("seconds of labdiff generate, 16 digits", spent_s, "<= 20")]
    return Outcome(claims, {"picture_kilobytes": kilobytes})
