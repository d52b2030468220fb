"""kill -9 at random moments of `labdiff calibrate`: what is measured twice afterwards."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from calibration.archive import CalibrationArchive
from calibration.result import CalibrationError
from labdiff.bench.frame_log import FrameLog

LONGEST_LIFE_S = 25.0
KILLS_A_CALIBRATION = 4


@dataclass(slots=True)
class Kills:
    """kills: that hit a calibration at work. repeated: frames that were logged before a kill and not used
    after it, the most in one calibration. unreadable: files that were damaged. completed, started: how
    many calibrations there were, and how many came to their end after their kills.
    """

    kills: int = 0
    repeated: int = 0
    unreadable: int = 0
    started: int = 0
    completed: int = 0


def killed(count: int, seed: int = 0) -> Kills:
    """Calibrations of a few kills each, then one life that comes to its end."""
    chance = random.Random(seed)
    found = Kills()
    while found.kills < count:
        with tempfile.TemporaryDirectory() as folder:
            archive = CalibrationArchive(Path(folder) / "archive")
            found.started += 1
            for _ in range(min(KILLS_A_CALIBRATION, count - found.kills)):
                _live(archive, chance.uniform(2.0, LONGEST_LIFE_S), found)
            _live(archive, None, found)
    return found


def _live(archive: CalibrationArchive, life_s: float | None, found: Kills) -> None:
    """One process, killed after so many seconds or left alone; what was in the log before is used."""
    routine, frames = _in_hand(archive)
    words = [sys.executable, "-m", "labdiff", "calibrate", "--out", str(archive.folder)]
    # Not here: a script in this folder has the name of a package.
    process = subprocess.Popen(
        words,
        cwd=archive.folder.parent,
        env={**os.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(life_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        found.kills += 1
    try:
        past = archive.history(routine) if routine else []
    except CalibrationError:
        found.unreadable += 1
        return
    used = past[-1].provenance.resumed_frames if past else _in_hand(archive)[1]
    found.repeated = max(found.repeated, frames - used)
    found.completed += process.returncode == 0
    if process.returncode > 0:
        raise RuntimeError(f"labdiff calibrate ended by itself with {process.returncode}")


def _in_hand(archive: CalibrationArchive) -> tuple[str, int]:
    """The routine that is being measured, and how many of its frames are in the log."""
    try:
        left = json.loads((archive.folder / "unfinished.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "", 0
    routine = next((name for name in left["plan"] if name not in left["done"]), "")
    return routine, sum(1 for _ in FrameLog(archive.folder / "unfinished.frames").records())
