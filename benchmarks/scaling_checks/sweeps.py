"""A sweep of which a worker is killed, and one of which the driver is."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scaling_checks.setting import small_bench_text
from labdiff.events import EvaluationStep
from labdiff.job import run
from labdiff.runs.reader import read_run
from labdiff.sweep.driver import TABLE, SweepDriver
from labdiff.sweep.sweep_file import read_sweep
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.task import Task

PATIENCE_S = 300.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Swept:
    """missing: trials that are not completed. repeated: that were begun again though nothing was wrong with
    them. wrong_rows: of the table, beside files and an undisturbed sweep. again: that had to be.
    """

    trials: int
    missing: int
    repeated: int
    wrong_rows: int
    again: int


class CountingWorkers(LocalWorkers):
    """Local workers that know how often each task was begun."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.begun: Counter[int] = Counter()

    def submit(self, key: int, task: Task) -> None:
        """Count it."""
        self.begun[key] += 1
        super().submit(key, task)


def write_study(folder: Path, steps: int) -> Path:
    """Six trials of some seconds."""
    folder.mkdir(parents=True)
    (folder / "small.toml").write_text(small_bench_text(), encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(
        f'bench = "small.toml"\n[options]\nlayer_sets = 2\nbatch = 4\noffline_steps = {steps}\n'
        "[grid.options]\nlearning_rate = [0.1, 0.2, 0.3]\nseed = [0, 1]\n",
        encoding="utf-8",
    )
    return study


def undisturbed(folder: Path, steps: int) -> list[dict[str, str]]:
    """The table of a sweep that nobody disturbs."""
    sweep = read_sweep(write_study(folder, steps))
    driver = SweepDriver(sweep, folder / "out", LocalWorkers(2))
    run(driver.job())
    return rows_of(driver.table)


def worker_killed(folder: Path, steps: int, wanted: list[dict[str, str]]) -> Swept:
    """The process at trial 2 is killed once it has told something."""
    workers = CountingWorkers(2)
    sweep = read_sweep(write_study(folder, steps))
    driver = SweepDriver(sweep, folder / "out", workers)
    killed: list[int] = []

    def kill(event: object) -> None:
        at_work = isinstance(event, EvaluationStep) and event.message.startswith("trial 2: ")
        if at_work and not killed and 2 in workers.pids:
            killed.append(workers.pids[2])
            os.kill(workers.pids[2], KILL)

    run(driver.job(), watch=[kill])
    again = {key for key, count in workers.begun.items() if count > 1}
    return _judged(driver.table, wanted, len(again - {2}), len(again))


def driver_killed(folder: Path, steps: int, wanted: list[dict[str, str]]) -> Swept:
    """The command itself is killed when a trial is done and others are at work; then given again."""
    study = write_study(folder, steps)
    table = folder / "out" / TABLE
    command = [sys.executable, "-m", "labdiff", "sweep", str(study), "--out", str(folder / "out")]
    command += ["--workers", "2", "--on", "local"]
    quiet = subprocess.DEVNULL
    first = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and first.poll() is None:
        time.sleep(0.1)
        if table.exists() and any(row["outcome"] == "completed" for row in rows_of(table)):
            break
    first.kill()
    first.wait()
    done = [row["file"] for row in rows_of(table) if row["outcome"] == "completed"]
    before = {name: (table.parent / name).read_bytes() for name in done}
    subprocess.run(command, stdout=quiet, stderr=quiet, check=False, timeout=PATIENCE_S)
    touched = sum((table.parent / name).read_bytes() != content for name, content in before.items())
    return _judged(table, wanted, touched, len(wanted) - len(done))


def rows_of(table: Path) -> list[dict[str, str]]:
    """The table as it is now."""
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _judged(table: Path, wanted: list[dict[str, str]], repeated: int, again: int) -> Swept:
    rows, wrong = rows_of(table), 0
    for row, right in zip(rows, wanted, strict=True):
        run_file = read_run(table.parent / row["file"])
        steps = run_file.columns["training"]["step"].tolist()
        same = all(row[name] == right[name] for name in right if name != "seconds")
        wrong += not same or steps != list(range(len(steps)))
    missing = sum(row["outcome"] != "completed" for row in rows)
    return Swept(len(rows), missing, repeated, wrong, again)
