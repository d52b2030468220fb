"""kill -9 at random moments of whole runs: the file can be read, and the run ends as one left alone."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, claim
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.reader import RunFile, read_run

KILLS, KILLS_A_RUN, QUICK_KILLS = 50, 10, 3
READ_EVERY_S = 1.0
BENCH = {
    "patch_shape = [100, 100]": "patch_shape = [60, 60]",
    "patch_lefts = [20, 140, 260, 380, 500]": "patch_lefts = [4, 84, 164]",
    "patch_top = 22": "patch_top = 4",
    "shape = [144, 640]": "shape = [68, 228]",
    "shape = [256, 320] ": "shape = [132, 144] ",
    "waist_mm = 0.60": "waist_mm = 0.36",
    "z_gap_mm = 5.7 ": "z_gap_mm = 3.42 ",
    "samples_per_pixel = 2": "samples_per_pixel = 1",
    "threads = 0": "threads = 1",
}
"""A bench so small that a run is over within twenty seconds; with every imperfection, drift and noise."""
OPTIONS = TrainingOptions(
    layer_sets=2,
    image_size=5,
    batch=4,
    offline_steps=12,
    calibrated_steps=12,
    online_steps=16,
    generated=9,
    sampler_steps=10,
)
WALL_CLOCK = ("time_s", "seconds")


@dataclass(slots=True)
class Killed:
    """kills: that hit a run at work, by the stage of the checkpoint behind them. readings: of the file
    by another process while it grew; unread: those that failed, and unreadable: those after a kill.
    ended: runs that came to their end after their kills. different: what the ended ones have otherwise.
    """

    kills: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    readings: int = 0
    unread: int = 0
    unreadable: int = 0
    ended: int = 0
    alike: int = 0
    different: list[str] = field(default_factory=list)


def check(quick: bool) -> list[Claim]:
    """Kills over whole runs, a few a run, each in a process of its own."""
    count = QUICK_KILLS if quick else KILLS
    found, runs = killed(count)
    for words in sorted(set(found.different)):
        print(f"differs: {words}", file=sys.stderr)
    print(f"kills by stage: {found.stages}", file=sys.stderr)
    return [
        claim("kill -9 at random moments of a run", found.kills, f">= {count}"),
        claim("run files that could be read after a kill", count - found.unreadable, f">= {count}"),
        claim("failed readings by another process while it grew", found.unread, "<= 0"),
        claim("readings by another process while it grew", found.readings, f">= {count}"),
        claim("killed runs that ended after going on", found.ended, f">= {runs}"),
        claim("of them to the bit as a run left alone", found.alike, f">= {runs}"),
    ]


def killed(count: int, seed: int = 0) -> tuple[Killed, int]:
    """`count` kills, KILLS_A_RUN to a run; and how many runs these were."""
    chance, found, runs = random.Random(seed), Killed(), 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Path(folder) / "bench.toml"
        bench.write_text(small_bench(), encoding="utf-8")
        started_s = time.monotonic()
        alone = _alone(Path(folder) / "alone", found)
        longest_s = (time.monotonic() - started_s) / 2.0
        while found.kills < count:
            runs += 1
            path = Path(folder) / f"run{runs}" / "run.h5"
            path.parent.mkdir()
            for _ in range(min(KILLS_A_RUN, count - found.kills)):
                if not _live(path, chance.uniform(0.0, longest_s), found):
                    # The machine is faster than it was, or less was left.
                    longest_s *= 0.7
                    break
                longest_s *= 1.1
            if not path.exists() or read_run(path).outcome != "completed":
                _live(path, None, found)
            whole = read_run(path)
            found.ended += whole.outcome == "completed"
            others = differences(alone, whole)
            found.alike += not others
            found.different += others
            print(f"  run {runs} ended, {len(others)} differences", file=sys.stderr)
    return found, runs


def small_bench() -> str:
    """Its bench file."""
    text = bench_text("mock")[1]
    for old, new in BENCH.items():
        text = text.replace(old, new)
    return text


def _alone(folder: Path, found: Killed) -> RunFile:
    """A run that nobody disturbs."""
    folder.mkdir()
    _live(folder / "run.h5", None, found)
    return read_run(folder / "run.h5")


def _live(path: Path, life_s: float | None, found: Killed) -> bool:
    """One process: killed after so many seconds at work, or left alone. True if it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fault_checks.kills", str(path)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()  # it is at work now
        ends_s = time.monotonic() + (1e9 if life_s is None else life_s)
        while process.poll() is None and time.monotonic() < ends_s:
            _read(path, found)
            time.sleep(min(READ_EVERY_S, max(ends_s - time.monotonic(), 0.0)))
        if process.poll() is not None:
            if process.returncode:
                raise RuntimeError(f"a run ended by itself with {process.returncode}")
            return False
        process.kill()
        process.wait()
    found.kills += 1
    print(f"  kill {found.kills} after {life_s:.1f} s", file=sys.stderr)
    try:
        stage = str(read_run(path).checkpoint_scalars.get("stage", "before the first"))
        found.stages[stage] = found.stages.get(stage, 0) + 1
    except UserError:
        found.unreadable += 1
    return True


def _read(path: Path, found: Killed) -> None:
    """As somebody who follows the run would."""
    if not path.exists():
        return
    found.readings += 1
    try:
        read_run(path)
    except UserError:
        found.unread += 1


def differences(one: RunFile, other: RunFile) -> list[str]:
    """Names of all recorded numbers that are not the same, but for what the wall clock says."""
    parts: dict[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
        **{
            f"{kind}.": (columns, other.columns.get(kind, {}))
            for kind, columns in one.columns.items()
        },
        "figure ": (one.figures, other.figures),
        "checkpoint ": (one.checkpoint, other.checkpoint),
        "checkpoint scalar ": (one.checkpoint_scalars, other.checkpoint_scalars),
        "generated ": (one.generated, other.generated),
    }
    found = sorted(set(other.columns) - set(one.columns))
    for title, (mine, theirs) in parts.items():
        for name in sorted(set(mine) | set(theirs)):
            if name.endswith(WALL_CLOCK):
                continue
            if name not in mine or name not in theirs or not _equal(mine[name], theirs[name]):
                found.append(title + name)
    return found


def _equal(one: object, other: object) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def live(path: Path) -> None:
    """Begin the run, or go on with it; a checkpoint as often as they can be written."""
    begun = path.exists()
    if begun and not read_run(path).checkpoint:
        path.unlink()  # killed before the first one: it says itself that it has to begin anew
        begun = False
    request = Request(
        bench=str(path.parents[1] / "bench.toml"),
        out=None if begun else path.parent,
        options=OPTIONS,
        resume=path if begun else None,
        checkpoint_seconds=0.0,
    )
    job = ExperimentJob(request)
    assert job.recorder is not None
    print("at work", flush=True)
    run(job.job(), record=[job.recorder])


if __name__ == "__main__":
    live(Path(sys.argv[1]))
