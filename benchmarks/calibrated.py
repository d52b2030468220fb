"""Calibrated mock benches: one calibration, any number of benches that stand where it ended."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.parts import Scale, Setting
from benchmarks.small_benches import calibrated_bench_text
from calibration.archive import CalibrationArchive
from calibration.result_file import Result
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.routines import IMAGING, PREDICTION, routine
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.events import Calibrated as CalibratedEvent
from labdiff.events import StageStarted
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was measured of the bench with this seed.

    found: results by routine. warnings: what the routines said that did not simply pass. alignment_s:
    the middle of the alignment, and now_s: the end of everything, in the bench's time. frames: that all
    of it took.
    """

    config: BenchConfig
    seed: int
    found: dict[str, Result]
    warnings: tuple[str, ...]
    alignment_s: float
    now_s: float
    frames: int
    archive: Path


def bench_file(setting: Setting) -> str:
    """Return this scale's bench file: the shipped mock bench, or the smallest that can be calibrated."""
    if setting.scale is Scale.FULL:
        return bench_text("mock")[1]
    setting.leave_out(
        "the shipped bench with four layers of 100 x 100: two of 60 x 60 in its place"
    )
    return calibrated_bench_text()


@cache
def calibrate(text: str, seed: int) -> Calibrated:
    """Calibrate the bench of a bench file as `labdiff calibrate` does; the same one only once.

    Raises CalibrationError if a routine fails that others need.
    """
    # The arrays are small: more threads than one would only wait for each other.
    torch.set_num_threads(1)
    config = parse_bench(text, "bench of the benchmark")
    calibrated = CalibratedBench(config, open_bench(config, seed))
    folder = Path(_archives().name) / f"{len(list(Path(_archives().name).iterdir()))}"
    archived = ArchivedCalibration(calibrated, CalibrationArchive(folder), text)
    began_s = 0.0
    warnings: list[str] = []

    def note(event: object) -> None:
        nonlocal began_s
        if isinstance(event, StageStarted):
            began_s = bench.clock.now_s()
        if isinstance(event, CalibratedEvent) and event.result.verdict.level != "pass":
            warnings.append(f"{event.routine}: {event.result.verdict.reason}")

    with calibrated.bench as bench:
        found = run(archived.measure((*IMAGING, *PREDICTION)), record=[note])
        now_s = bench.clock.now_s()
        frames = laboratory_of(bench).camera.requests
    middle_s = (began_s + now_s) / 2.0
    return Calibrated(config, seed, found, tuple(warnings), middle_s, now_s, frames, folder)


@cache
def _archives() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of all archives, which lasts as long as this process."""
    return tempfile.TemporaryDirectory(prefix="labdiff-calibrated-")


def copied_archive(text: str, seed: int, folder: Path) -> Path:
    """Copy the calibrations of a bench into a new folder, for a job that adds to them.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        folder: Where the new folder is made.
    """
    return Path(shutil.copytree(calibrate(text, seed).archive, folder / "calibrations"))


@contextmanager
def opened(known: Calibrated, config: BenchConfig | None = None) -> Iterator[CalibratedBench]:
    """Open a bench with the calibration in use, at the time at which that ended; the laser is on.

    config: another bench file's, as one without drift.
    """
    config = config or known.config
    calibrated = CalibratedBench(config, open_bench(config, known.seed))
    with calibrated.bench as bench:
        for name, result in known.found.items():
            routine(name).apply(calibrated, result)
        bench.clock.sleep_s(known.now_s - bench.clock.now_s())
        yield calibrated
