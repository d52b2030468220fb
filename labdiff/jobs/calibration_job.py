"""What `labdiff calibrate` does: look at what is stored, measure what no longer holds, keep everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.archive import CalibrationArchive
from labdiff.bench.bench import Bench
from labdiff.calibrations.archived import ArchivedCalibration, archive_folder
from labdiff.calibrations.routines import ALL, resting_on
from labdiff.calibrations.validity import CalibrationDone, bring_up_to_date, look
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.jobs.training_job import ExperimentJob, Request


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """bench, seed: as in `labdiff.jobs.training_job.Request`.

    folder: of the archive, None for the bench's own.

    everything: measure all, without a look at what is stored. only: these alone. check: look, measure
    nothing.
    """

    bench: str = "mock"
    seed: int = 0
    folder: Path | None = None
    everything: bool = False
    only: tuple[str, ...] = ()
    check: bool = False


class CalibrationJob:
    """The job with its bench and its archive, ready for `run`.

    bench: one that is open already, of this bench file, and stays so; else one is opened and closed.
    Raises UserError for a user's mistake, before light is switched on.
    """

    def __init__(self, request: CalibrationRequest, bench: Bench | None = None) -> None:
        unknown = sorted(set(request.only) - set(ALL))
        if unknown:
            raise UserError(f"--only {unknown[0]}: no such routine; allowed are {', '.join(ALL)}")
        if request.everything + bool(request.only) + request.check > 1:
            raise UserError("--all, --only and --check exclude each other; give one of them")
        self.request = request
        prepared = ExperimentJob(
            Request(request.bench, None, TrainingOptions(seed=request.seed, offline_steps=0)), bench
        )
        self._lent = bench is not None
        self.session = prepared.session
        folder = request.folder or archive_folder(
            request.bench, self.session.config.camera.driver == "mock", request.seed
        )
        self.archive = CalibrationArchive(folder)
        self._kept = ArchivedCalibration(self.session, self.archive, bench_text(request.bench)[1])

    def job(self) -> Job[CalibrationDone]:
        """Its end, by whatever way, leaves the bench safe, and in the archive all that was measured."""
        request, kept = self.request, self._kept
        bench = self.session.bench
        with bench.lent() if self._lent else bench:
            yield JobStarted("calibration", len(ALL))
            if request.check:
                return CalibrationDone(tuple((yield from look(self.session, kept))), {})
            if request.everything or request.only:
                kept.forget_unfinished()
                plan = set(request.only or ALL)
                kept.use_stored(set(ALL) - resting_on(plan))
                return CalibrationDone((), (yield from kept.measure(plan)))
            return (yield from bring_up_to_date(self.session, kept))

    def figures(self, done: CalibrationDone) -> dict[str, Any]:
        """What a script wants to know, as plain values."""
        return {
            "fresh": [finding.routine for finding in done.findings if finding.state == "fresh"],
            "verdicts": {name: found.verdict.level for name, found in done.measured.items()},
            "alignment": self.session.twin.alignment(),
        }
