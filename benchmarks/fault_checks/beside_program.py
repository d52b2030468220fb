"""A program that wants what another one has: python -m benchmarks.fault_checks.beside_program.

For each line of standard input, a JSON list of what it wants and the folder, it prints a JSON line
(owned, message), waits for a second line if it owns it, does its work, and prints another one; on a bench
also in the middle of the work, where it waits again.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.fault_checks.inline_workers import InlineWorkers
from benchmarks.fault_checks.small_runs import tiny_bench_text
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchFile, load_bench, parse_bench
from labdiff.errors import UserError
from labdiff.events import Checkpoint, JobEnded, TrainingStep
from labdiff.job import run
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.runs.recorder import Recorder
from labdiff.sweep.driver import SweepDriver
from labdiff.sweep.sweep_file import read_sweep

ROWS = 20
"""Training steps that a program records."""
HALF = "half"
"""Message in the middle of the work."""
RUN, STORE, SWEEP, BENCH = "run", "store", "sweep", "bench"


def main() -> None:
    """Serve the requests of standard input until it ends."""
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        what, folder, number = json.loads(line)
        work = WORK[what](Path(folder), number)
        try:
            next(work)
        except UserError as error:
            print(json.dumps([False, str(error)]), flush=True)
            continue
        print(json.dumps([True, ""]), flush=True)
        sys.stdin.readline()
        for _ in work:
            print(json.dumps([True, HALF]), flush=True)
            sys.stdin.readline()
        print(json.dumps([True, "done"]), flush=True)


def _run(folder: Path, number: int) -> Iterator[None]:
    """Resume a run file, and record steps that carry this program's number."""
    recorder = Recorder(folder / "run.h5", "", "{}", 0, resume=True)
    yield
    for step in range(ROWS):
        recorder(TrainingStep("online", step, ROWS, number, 0.5))
        recorder(Checkpoint({}, {"stage": "online"}))
        recorder.flush()
    recorder(JobEnded("completed", ""))


def _store(folder: Path, _: int) -> Iterator[None]:
    """Measure one routine, and add it to the calibration store."""
    text = tiny_bench_text("slm_patch", [])
    bench = BenchFile("mock", text, parse_bench(text, "tiny"))
    request = CalibrationRequest(bench, folder=folder / "store", only=("dark level",))
    with closing(CalibrationJob(request).job()) as job:
        next(job)
        yield
        run(job)


def _sweep(folder: Path, _: int) -> Iterator[None]:
    """Run the trials of a sweep."""
    driver = SweepDriver(read_sweep(folder / "sweep.toml"), folder / "out", InlineWorkers())
    yield
    run(driver.job())


def _bench(folder: Path, number: int) -> Iterator[None]:
    """Open a bench of real drivers, and record the mean of each frame that it takes in its light."""
    with (
        open_bench(load_bench(str(folder.parent / "bench.toml")), 0) as bench,
        Recorder(folder / "run.h5", "", "{}", 0) as recorder,
    ):
        yield
        for step in range(ROWS):
            if step == ROWS // 2:
                yield
            mean = float(bench.camera.get_frame().pixels.mean())
            recorder(TrainingStep("online", step, ROWS, number, mean))
            recorder.flush()
        recorder(JobEnded("completed", ""))


WORK = {RUN: _run, STORE: _store, SWEEP: _sweep, BENCH: _bench}

if __name__ == "__main__":
    main()
