"""A sweep of which a worker is killed, and one of which the driver is.

`python -m benchmarks.scaling_checks.sweeps SWEEP_FILE OUT` runs a sweep without workers of its own.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import environment
from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from labdiff.events import EvaluationStep
from labdiff.job import run
from labdiff.runs.reader import read_run
from labdiff.sweep.driver import TABLE, SweepDriver
from labdiff.sweep.sweep_file import Sweep, read_sweep
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.task import Task, Workers
from tests.support.inline_workers import InlineWorkers

PATIENCE_S = 300.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
DISTURBED = 2
"""Number of the trial whose worker is lost."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Study:
    """A sweep's size, and whether its workers are processes or run in the driver."""

    steps: int
    rates: tuple[float, ...]
    processes: bool

    def workers(self) -> Workers:
        """Return undisturbed workers."""
        return LocalWorkers(2) if self.processes else InlineWorkers(2)


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of a sweep that was disturbed.

    missing: trials that are not completed. repeated: trials that were begun again without need.
    wrong_rows: of the table, beside files and an undisturbed sweep. again: trials that had to be begun
    again.
    """

    missing: int
    repeated: int
    wrong_rows: int
    again: int


class CountingWorkers(LocalWorkers):
    """Local workers that count how often each task was begun."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.begun: list[int] = []

    def submit(self, key: int, task: Task) -> None:
        """Count a task and submit it."""
        self.begun.append(key)
        super().submit(key, task)


def measure(setting: Setting) -> Outcome:
    """Disturb a sweep in both ways."""
    where = setting.amount("workers", smoke="in the driver", quick="processes", full="processes")
    study = Study(
        setting.amount("steps a trial", smoke=2, quick=20, full=150),
        setting.amount("learning rates", smoke=(0.1, 0.2), quick=(0.1, 0.2), full=(0.1, 0.2, 0.3)),
        where == "processes",
    )
    claims: list[Claim] = []
    figures: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = undisturbed(Path(folder, "undisturbed"), study)
        for name, disturbed in (("worker", worker_lost), ("driver", driver_killed)):
            found = disturbed(Path(folder, name), study, wanted)
            figures[f"{name}_killed_trials_begun_again"] = found.again
            claims += [
                claim(f"{name} killed: trials that are missing", found.missing, "<= 0"),
                claim(f"{name} killed: done trials computed again", found.repeated, "<= 0"),
                claim(f"{name} killed: wrong rows or files", found.wrong_rows, "<= 0"),
                claim(f"{name} killed: trials that were cut or had not begun", found.again, ">= 1"),
            ]
    return Outcome(claims, figures)


def write_study(folder: Path, study: Study) -> Path:
    """Write a sweep file with two seeds for every learning rate."""
    folder.mkdir(parents=True)
    side_px = 40 if study.processes else 20
    (folder / "small.toml").write_text(small_bench_text(side_px, 2), encoding="utf-8")
    file = folder / "study.toml"
    file.write_text(
        'bench = "small.toml"\n[options]\nlayer_sets = 2\nbatch = 4\nimage_size = 5\n'
        f"offline_steps = {study.steps}\n"
        f"[grid.options]\nlearning_rate = {list(study.rates)}\nseed = [0, 1]\n",
        encoding="utf-8",
    )
    return file


def undisturbed(folder: Path, study: Study) -> list[Row]:
    """Return the table of an undisturbed sweep."""
    driver = SweepDriver(read_sweep(write_study(folder, study)), folder / "out", study.workers())
    run(driver.job())
    return rows_of(driver.table)


def worker_lost(folder: Path, study: Study, wanted: list[Row]) -> Swept:
    """Kill the process that runs a trial once it has reported something; in the driver, lose the trial."""
    sweep = read_sweep(write_study(folder, study))
    if study.processes:
        begun = _worker_killed(folder, CountingWorkers(2), sweep)
    else:
        workers = InlineWorkers(2, lose=(DISTURBED, 1))
        run(SweepDriver(sweep, folder / "out", workers).job())
        begun = workers.begun
    again = {key for key, count in Counter(begun).items() if count > 1}
    return _compared(folder / "out" / TABLE, wanted, len(again - {DISTURBED}), len(again))


def _worker_killed(folder: Path, workers: CountingWorkers, sweep: Sweep) -> list[int]:
    driver = SweepDriver(sweep, folder / "out", workers)
    killed: list[int] = []

    def kill(event: object) -> None:
        reported = isinstance(event, EvaluationStep) and event.message.startswith(
            f"trial {DISTURBED}: "
        )
        if reported and not killed and DISTURBED in workers.pids:
            killed.append(workers.pids[DISTURBED])
            os.kill(workers.pids[DISTURBED], KILL)

    run(driver.job(), watch=[kill])
    return workers.begun


def driver_killed(folder: Path, study: Study, wanted: list[Row]) -> Swept:
    """Kill the command itself when a trial is done and others are not; then give it again."""
    file = write_study(folder, study)
    table = folder / "out" / TABLE
    arguments = ["benchmarks.scaling_checks.sweeps", str(file), str(folder / "out")]
    if study.processes:
        arguments = ["labdiff", "sweep", str(file), "--out", str(folder / "out")]
        arguments += ["--workers", "2", "--on", "local"]
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", *arguments]
    first = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment())
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and first.poll() is None:
        time.sleep(0.02)
        if table.exists() and any(row["outcome"] == "completed" for row in rows_of(table)):
            break
    first.kill()
    first.wait()
    done = [row["file"] for row in rows_of(table) if row["outcome"] == "completed"]
    before = {name: (table.parent / name).read_bytes() for name in done}
    if study.processes:
        subprocess.run(
            command, stdout=quiet, stderr=quiet, check=False, timeout=PATIENCE_S, env=environment()
        )
    else:
        run_sweep(file, folder / "out")
    touched = sum((table.parent / name).read_bytes() != content for name, content in before.items())
    return _compared(table, wanted, touched, len(wanted) - len(done))


def run_sweep(file: Path, out: Path) -> None:
    """Run a sweep, or what is left of it, in this process."""
    run(SweepDriver(read_sweep(file), out, InlineWorkers(2)).job())


def rows_of(table: Path) -> list[Row]:
    """Return the table as it is now."""
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _compared(table: Path, wanted: list[Row], repeated: int, again: int) -> Swept:
    rows, wrong = rows_of(table), 0
    for row, right in zip(rows, wanted, strict=True):
        run_file = read_run(table.parent / row["file"])
        steps = run_file.columns["training"]["step"].tolist()
        same = all(row[name] == right[name] for name in right if name != "seconds")
        wrong += not same or steps != list(range(len(steps)))
    missing = sum(row["outcome"] != "completed" for row in rows)
    return Swept(missing, repeated, wrong, again)


if __name__ == "__main__":
    run_sweep(Path(sys.argv[1]), Path(sys.argv[2]))
