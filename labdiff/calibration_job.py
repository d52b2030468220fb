"""What `labdiff calibrate` does: look at what is stored, measure what no longer holds, keep everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.archive import CalibrationArchive
from calibration.store import Result
from labdiff.calibrate import KeptCalibration
from labdiff.config import SHIPPED, TrainingOptions, bench_text
from labdiff.errors import UserError
from labdiff.events import JobStarted, Looked
from labdiff.jobs import ExperimentJob, Request
from labdiff.routines import ALL, resting_on
from labdiff.runner import Job
from labdiff.staleness import Finding, look, to_redo


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """bench, seed: as in `labdiff.jobs.Request`. folder: of the archive, None for the bench's own.

    everything: measure all, without a look at what is stored. only: these alone. check: look, measure
    nothing.
    """

    bench: str = "mock"
    seed: int = 0
    folder: Path | None = None
    everything: bool = False
    only: tuple[str, ...] = ()
    check: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationDone:
    """findings: of the look at the bench, if there was one. measured: results by routine."""

    findings: tuple[Finding, ...]
    measured: dict[str, Result]


class CalibrationJob:
    """The job with its bench and its archive, ready for `run`.

    Raises UserError for a user's mistake, before light is switched on.
    """

    def __init__(self, request: CalibrationRequest) -> None:
        unknown = sorted(set(request.only) - set(ALL))
        if unknown:
            raise UserError(f"--only {unknown[0]}: no such routine; allowed are {', '.join(ALL)}")
        if request.everything + bool(request.only) + request.check > 1:
            raise UserError("--all, --only and --check exclude each other; give one of them")
        self.request = request
        prepared = ExperimentJob(
            Request(request.bench, None, TrainingOptions(seed=request.seed, offline_steps=0))
        )
        self.session = prepared.session
        folder = request.folder or archive_folder(
            request.bench, self.session.config.camera.driver == "mock", request.seed
        )
        self.archive = CalibrationArchive(folder)
        self._kept = KeptCalibration(self.session, self.archive, bench_text(request.bench)[1])

    def job(self) -> Job[CalibrationDone]:
        """Its end, by whatever way, leaves the bench safe, and in the archive all that was measured."""
        with self.session.bench:
            findings: list[Finding] = []
            plan, in_use = set(ALL), {}
            yield JobStarted("calibration", len(ALL))
            if self.request.only:
                plan = set(self.request.only)
                in_use = self._kept.use_stored(set(ALL) - resting_on(plan))
            elif not self.request.everything and self._kept.unfinished() is None:
                in_use = self._kept.use_stored(ALL)
                findings = yield from look(self.session, self.archive, in_use)
                yield Looked(tuple((f.routine, f.state, f.words) for f in findings))
                plan = to_redo(findings)
                in_use = {name: id for name, id in in_use.items() if name not in plan}
            if self.request.check:
                return CalibrationDone(tuple(findings), {})
            if self.request.everything or self.request.only:
                self._kept.forget_unfinished()
            measured = yield from self._kept.measure(plan, in_use)
            return CalibrationDone(tuple(findings), measured)

    def figures(self, done: CalibrationDone) -> dict[str, Any]:
        """What a script wants to know, as plain values."""
        return {
            "fresh": [finding.routine for finding in done.findings if finding.state == "fresh"],
            "verdicts": {name: found.verdict.level for name, found in done.measured.items()},
            "alignment": self.session.twin.alignment(),
        }


def archive_folder(bench: str, mock: bool, seed: int) -> Path:
    """Where the calibrations of a bench lie: beside its file, or in runs/ for a shipped one.

    A mock bench is another one with every seed.
    """
    name = f"{Path(bench).stem}-seed{seed}" if mock else Path(bench).stem
    if bench in SHIPPED:
        return Path("runs", "calibration", name)
    return Path(bench).with_name(f"{name}.calibration")
