"""kill -9 at random moments of `labdiff calibrate`: what is measured twice afterwards."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.calibrated import bench_file
from benchmarks.children import environment
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from calibration.archive import CalibrationArchive
from calibration.result import CalibrationError
from labdiff.bench.frame_log import FrameLog
from labdiff.errors import JobStoppedError
from labdiff.job import run
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest

KILLS_A_CALIBRATION = 4
SHORTEST_LIFE_S, LONGEST_LIFE_S = 2.0, 25.0
POLL_S = 0.01


@dataclass(slots=True)
class Kills:
    """What kills have cost.

    kills: that hit a calibration in progress. repeated: frames that were logged before a kill and not used
    after it, the most in one calibration. unreadable: files that were damaged. completed, started: how
    many calibrations there were, and how many came to their end after their kills.
    """

    kills: int = 0
    repeated: int = 0
    unreadable: int = 0
    started: int = 0
    completed: int = 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The command whose process is killed."""

    bench: Path
    archive: CalibrationArchive

    @property
    def command(self) -> list[str]:
        """Return the command and its arguments."""
        files = ["--bench", str(self.bench), "--out", str(self.archive.folder)]
        return [sys.executable, "-m", "labdiff", "calibrate", *files]

    def in_progress(self) -> tuple[str, int]:
        """Return the routine that is being measured, and how many of its frames are in the log."""
        try:
            left = json.loads((self.archive.folder / "unfinished.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "", 0
        routine = next((name for name in left["plan"] if name not in left["done"]), "")
        return routine, sum(
            1 for _ in FrameLog(self.archive.folder / "unfinished.frames").records()
        )


def measure(setting: Setting) -> Outcome:
    """Kill calibrations, then let each come to its end."""
    count = setting.amount("kills", smoke=1, quick=1, full=20)
    lives = setting.amount("life of a process", smoke="a frame", quick="a frame", full="random")
    here, whole = "resumed here until the routine is done", "a process, to the end"
    last = setting.amount("last life", smoke=here, quick=here, full=whole)
    found = killed(bench_file(setting), count, at_once=lives == "a frame", here=last == here)
    claims = [
        claim(f"{found.kills} kills: logged frames measured again", found.repeated, "<= 0"),
        claim("damaged files", found.unreadable, "<= 0"),
        claim(
            "killed calibrations that came to their end", found.completed / found.started, ">= 1"
        ),
    ]
    return Outcome(claims, asdict(found))


def killed(bench_text: str, count: int, *, at_once: bool, here: bool) -> Kills:
    """Run calibrations with a few kills each, then to their end.

    Args:
        bench_text: Bench file that is calibrated.
        count: Number of kills.
        at_once: Kill as soon as a frame is logged, not after a random time.
        here: Resume in this process at last, and only until the routine that was cut short is done.
    """
    chance = random.Random(0)
    found = Kills()
    while found.kills < count:
        with tempfile.TemporaryDirectory() as folder:
            bench = Path(folder) / "bench.toml"
            bench.write_text(bench_text, encoding="utf-8")
            archive = CalibrationArchive(Path(folder) / "archive")
            calibration = Calibration(bench, archive)
            found.started += 1
            for _ in range(min(KILLS_A_CALIBRATION, count - found.kills)):
                life_s = 0.0 if at_once else chance.uniform(SHORTEST_LIFE_S, LONGEST_LIFE_S)
                _live(calibration, life_s, found)
            if here:
                _resume_here(calibration, found)
            else:
                _live(calibration, None, found)
    return found


def _resume_here(calibration: Calibration, found: Kills) -> None:
    """Resume until the routine is archived that was cut short."""
    routine, frames = calibration.in_progress()
    archive = calibration.archive
    job = CalibrationJob(CalibrationRequest(str(calibration.bench), folder=archive.folder))
    with suppress(JobStoppedError):
        run(job.job(), should_stop=lambda: bool(archive.history(routine)))
    past = archive.history(routine)
    found.completed += bool(past)
    found.repeated = max(found.repeated, frames - past[-1].provenance.resumed_frames)


def _live(calibration: Calibration, life_s: float | None, found: Kills) -> None:
    """Run one process to its end, or kill it once it lives so long and has logged a frame of its own.

    What was in the log before has to be used.
    """
    routine, frames = calibration.in_progress()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        calibration.command,
        cwd=calibration.bench.parent,
        env=environment(),
        stdout=quiet,
        stderr=quiet,
    ) as process:
        started_s = time.monotonic()
        while life_s is not None and process.poll() is None:
            time.sleep(POLL_S)
            if time.monotonic() > started_s + life_s and calibration.in_progress()[1] > 0:
                process.kill()
                process.wait()
                found.kills += 1
                break
    archive = calibration.archive
    try:
        past = archive.history(routine) if routine else []
    except CalibrationError:
        found.unreadable += 1
        return
    used = past[-1].provenance.resumed_frames if past else calibration.in_progress()[1]
    found.repeated = max(found.repeated, frames - used)
    found.completed += process.returncode == 0
    if process.returncode > 0:
        raise RuntimeError(f"labdiff calibrate ended by itself with {process.returncode}")
