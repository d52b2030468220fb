"""Calibration as a job: check what is archived, measure what no longer holds, archive everything."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from calibration.archive import CalibrationArchive
from labdiff.bench.bench import Bench
from labdiff.bench.origin import archive_folder
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.feasible import not_measurable, require_measurable
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.routines import with_dependents
from labdiff.calibrations.validity import (
    CalibrationDone,
    bring_up_to_date,
    check_validity,
    left_out,
)
from labdiff.config.bench import BenchFile, CalibrationConfig, read_bench_file
from labdiff.errors import UserError
from labdiff.events import JobStarted, ValidityChecked
from labdiff.job import Job
from labdiff.jobs.job_bench import JobBench
from labdiff.session.calibrated_bench import CalibratedBench


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What a calibration is asked for; plain values, so that it crosses to another process.

    bench: name of a shipped bench, path, or a bench file that was read. seed: of a mock laboratory.
    folder: of the archive, None for the bench's own.

    everything: measure all, whatever is stored. only: these alone. check: check what is stored, and
    measure nothing. needed_only: nothing on which no other routine rests.
    """

    bench: str | BenchFile = "mock"
    seed: int = 0
    folder: Path | None = None
    everything: bool = False
    only: tuple[str, ...] = ()
    check: bool = False
    needed_only: bool = False
    thorough: bool = False


class CalibrationJob:
    """A calibration with its bench and its archive, ready for `run`.

    bench: one that is open already, of this bench file, and stays so; else one is opened and closed.
    Raises UserError for a user's mistake, before the laser is switched on.
    """

    def __init__(self, request: CalibrationRequest, bench: Bench | None = None) -> None:
        unknown = sorted(set(request.only) - set(ROUTINE_NAMES))
        if unknown:
            raise UserError(
                f"--only {unknown[0]}: no such routine; allowed are {', '.join(ROUTINE_NAMES)}"
            )
        if request.everything + bool(request.only) + request.check > 1:
            raise UserError("--all, --only and --check exclude each other; give one of them")
        self.request = request
        file = read_bench_file(request.bench)
        folder = request.folder or archive_folder(
            file.source, file.config.camera.driver == "mock", request.seed
        )
        config = file.config
        if request.thorough:
            config = config.model_copy(update={"calibration": CalibrationConfig(thorough=True)})
        require_measurable(config, request.only, "calibration")
        self._measurable = set(ROUTINE_NAMES) - set(not_measurable(config))
        if not self._measurable:
            require_measurable(config, ROUTINE_NAMES, "calibration")
        self._bench_text = file.text
        self.archive = CalibrationArchive(folder)
        self._bench = JobBench.open(config, request.seed, bench)
        self.calibrated = CalibratedBench(config, self._bench.bench)

    def job(self) -> Job[CalibrationDone]:
        """Check or calibrate; the end, by whatever way, leaves the bench safe and all results archived."""
        request, calibrated = self.request, self.calibrated
        stored = ArchivedCalibration(calibrated, self.archive, self._bench_text)
        with ExitStack() as stack:
            if not request.check:  # which adds nothing, and may be made beside another calibration
                with self._bench.preparing() as bench:
                    stack.enter_context(stored.owned())
                if bench is not None:
                    bench.report_in(self.archive.folder)
            stack.enter_context(self._bench.lit())
            yield JobStarted("calibration", len(ROUTINE_NAMES))
            if request.check:
                return CalibrationDone(tuple((yield from check_validity(calibrated, stored))), {})
            if request.everything or request.only:
                stored.forget_unfinished()
                plan = set(request.only) or self._measurable
                stored.apply_stored(self._measurable - with_dependents(plan))
                missing = tuple(left_out(calibrated).values()) if request.everything else ()
                if missing:
                    yield ValidityChecked(tuple((f.routine, f.state, f.reason) for f in missing))
                return CalibrationDone(missing, (yield from stored.measure(plan)))
            return (yield from bring_up_to_date(calibrated, stored, request.needed_only))

    def figures(self, done: CalibrationDone) -> dict[str, object]:
        """Return what a script needs, as plain values."""
        return {
            "fresh": [finding.routine for finding in done.findings if finding.state == "fresh"],
            "verdicts": {name: found.verdict.level for name, found in done.measured.items()},
            "alignment": self.calibrated.twin.alignment(),
            "simulated": self.calibrated.bench.simulated,
        }
