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
import torch

from benchmarks.children import ROOT, environment
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Scale, Setting
from benchmarks.small_benches import calibrated_bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.reader import RunFile, read_run
from labdiff.training.twin_only import TwinTraining

KILLS, KILLS_A_RUN = 50, 10
READ_EVERY_S = 1.0
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
ON_THE_TWIN = "on_the_twin"
"""What the command line says for a run that trains on the data sheet's twin alone."""
WALL_CLOCK = ("time_s", "seconds")


@dataclass(slots=True)
class Killed:
    """Kills of runs and what came of them.

    kills: that hit a run in progress, by the stage of the checkpoint behind them. readings: of the file
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


def measure(setting: Setting) -> Outcome:
    """Kill whole runs, each in a process of its own, a few times a run."""
    count = setting.amount("kills", smoke=1, quick=3, full=KILLS)
    on_the_twin = setting.scale is not Scale.FULL
    if on_the_twin:
        setting.leave_out("kills in the stages that need a calibrated bench: they take minutes")
    found, runs = killed(count, on_the_twin=on_the_twin)
    claims = [
        claim("kill -9 at random moments of a run", found.kills, f">= {count}"),
        claim("run files that could be read after a kill", count - found.unreadable, f">= {count}"),
        claim("failed readings by another process while it grew", found.unread, "<= 0"),
        claim("readings by another process while it grew", found.readings, f">= {count}"),
        claim("killed runs that ended after resuming", found.ended, f">= {runs}"),
        claim("of them to the bit as a run left alone", found.alike, f">= {runs}"),
    ]
    return Outcome(
        claims, {"kills_by_stage": found.stages, "different": sorted(set(found.different))}
    )


def killed(count: int, seed: int = 0, on_the_twin: bool = False) -> tuple[Killed, int]:
    """Kill `count` times, KILLS_A_RUN to a run; return what came of it and how many runs these were."""
    chance, found, runs = random.Random(seed), Killed(), 0
    kind = (ON_THE_TWIN,) if on_the_twin else ()
    with tempfile.TemporaryDirectory() as folder:
        bench = Path(folder) / "bench.toml"
        bench.write_text(calibrated_bench_text(), encoding="utf-8")
        started_s = time.monotonic()
        alone = _alone(Path(folder) / "alone", found, kind)
        longest_s = (time.monotonic() - started_s) / 2.0
        while found.kills < count:
            runs += 1
            path = Path(folder) / f"run{runs}" / "run.h5"
            path.parent.mkdir()
            for _ in range(min(KILLS_A_RUN, count - found.kills)):
                if not _live(path, chance.uniform(0.0, longest_s), found, kind):
                    # The machine is faster than it was, or less was left.
                    longest_s *= 0.7
                    break
                longest_s *= 1.1
            if not path.exists() or read_run(path).outcome != "completed":
                _live(path, None, found, kind)
            whole = read_run(path)
            found.ended += whole.outcome == "completed"
            others = differences(alone, whole)
            found.alike += not others
            found.different += others
            print(f"  run {runs} ended, {len(others)} differences", file=sys.stderr)
    return found, runs


def _alone(folder: Path, found: Killed, kind: tuple[str, ...]) -> RunFile:
    """Run to the end without a kill; on the twin in this process."""
    folder.mkdir()
    if kind:
        live_on_the_twin(folder / "run.h5")
    else:
        _live(folder / "run.h5", None, found, kind)
    return read_run(folder / "run.h5")


def _live(path: Path, life_s: float | None, found: Killed, kind: tuple[str, ...]) -> bool:
    """Start a process, kill it after so many seconds or leave it alone. Return True if it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fault_checks.kills", str(path), *kind],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
    )
    with process:
        if process.stdout is not None:
            process.stdout.readline()  # the run has begun
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
    """Read the file as somebody who follows the run would."""
    if not path.exists():
        return
    found.readings += 1
    try:
        read_run(path)
    except UserError:
        found.unread += 1


def differences(one: RunFile, other: RunFile) -> list[str]:
    """Return the names of all recorded numbers that differ, but for those of the wall clock."""
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
    """Begin the run or resume it, with a checkpoint as often as they can be written."""
    begun = path.exists()
    if begun and not read_run(path).checkpoint:
        path.unlink()  # killed before the first checkpoint: it has to begin anew
        begun = False
    request = Request(
        bench=str(path.parents[1] / "bench.toml"),
        out=None if begun else path.parent,
        options=OPTIONS,
        resume=path if begun else None,
        checkpoint_seconds=0.0,
    )
    job = ExperimentJob(request)
    print("begun", flush=True)
    run(job.job(), record=[job.recorder] if job.recorder is not None else [])


def live_on_the_twin(path: Path) -> None:
    """Begin a training on the data sheet's twin or resume it, with a checkpoint after every step."""
    bench = (path.parents[1] / "bench.toml").read_text(encoding="utf-8")
    torch.set_num_threads(1)
    training = TwinTraining(path, bench, OPTIONS)
    training.session.checkpoint_seconds = 0.0
    print("begun", flush=True)
    run(training.job())


if __name__ == "__main__":
    (live_on_the_twin if ON_THE_TWIN in sys.argv else live)(Path(sys.argv[1]))
