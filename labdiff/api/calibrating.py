"""Calibrate a bench from a notebook or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
import torch

from calibration.archive import CalibrationArchive
from calibration.result import Verdict
from calibration.result_file import Result, ResultT
from labdiff.api.opening import borrowed, origin_of
from labdiff.api.progress import Progress, run_job
from labdiff.bench.bench import Bench
from labdiff.bench.measurement import FloatImages
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.routine import Routine, ValidityFinding
from labdiff.errors import UserError
from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.session.calibrated_bench import CalibratedBench
from twin.digital_twin import DigitalTwin


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of a bench; a notebook shows the verdicts and the figures of the routines.

    Attributes:
        calibrated: The bench with its twin and its pre-compensation.
        archive: Where the results are stored, with those of the past.
        findings: What a check found of the stored results before it; empty if there was none.
        measured: The results that were measured now, by routine.

    Example:
        >>> calibration = labdiff.calibrate("mock-small")
        >>> calibration.verdicts["registration"].level
        'pass'
    """

    calibrated: CalibratedBench
    archive: CalibrationArchive
    findings: tuple[ValidityFinding, ...]
    measured: dict[str, Result]

    @property
    def twin(self) -> DigitalTwin:
        """The digital twin, aligned with the bench."""
        return self.calibrated.twin

    @property
    def results(self) -> dict[str, Result]:
        """The newest result of each routine, measured now or earlier."""
        newest = {name: self.archive.history(name) for name in ROUTINE_NAMES}
        return {name: stored[-1].result for name, stored in newest.items() if stored}

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each of `results`: pass, warn or fail, why, and what to do."""
        return {name: result.verdict for name, result in self.results.items()}

    def predict(
        self, inputs: npt.NDArray[np.floating], phases: npt.NDArray[np.floating]
    ) -> FloatImages:
        """Return the intensity that the twin predicts, as `Bench.measure` measures it.

        Args:
            inputs: (B, h, w), radians for an SLM patch, amplitude in 0 ... 1 for a DMD.
            phases: Layers (N, h, w) for the whole batch, or (B, N, h, w), radians.

        Returns:
            Intensity (B, h, w) on the output plane, 1.0 for the mean of a flat pattern.

        Example:
            >>> measured = bench.measure(inputs, phases).intensity
            >>> np.corrcoef(measured.ravel(), calibration.predict(inputs, phases).ravel())[0, 1]
            0.998
        """
        with torch.no_grad():
            predicted: torch.Tensor = self.twin(_tensor(inputs), _tensor(phases))
        return np.asarray(predicted.numpy(), np.float32)

    @overload
    def measure(self, routine: str, *, progress: Progress = False) -> Result: ...

    @overload
    def measure(self, routine: Routine[ResultT], *, progress: Progress = False) -> ResultT: ...

    def measure(
        self, routine: str | Routine[ResultT], *, progress: Progress = False
    ) -> Result | ResultT:
        """Measure a calibration routine of your own, store its result and put it to use.

        Args:
            routine: Its result is a dataclass that derives from `labdiff.CalibrationResult`. Or the name of
                one of labdiff's, as "alignment", which is measured again, with what yours have contributed.
            progress: True for a progress bar, or a function that is called with each event.

        Returns:
            The result. The archive holds it beside the others, with frames, devices and what it rests on.

        Raises:
            UserError: If labdiff has a routine of that name, or none of it; if the archive cannot be
                written.
            CalibrationError: If the result failed, and the routine says that it is needed.
            JobStoppedError: If Ctrl-C stopped it.

        Example:
            >>> calibration.measure(steadiness, progress=True).noise
            0.0011
        """
        with borrowed(self.calibrated.bench, 0) as bench:
            text = origin_of(bench).file.text
            stored = ArchivedCalibration(self.calibrated, self.archive, text)
            if not isinstance(routine, str):
                return run_job(_own_job(stored, routine), progress)
            if routine not in ROUTINE_NAMES:
                raise UserError(
                    f"routine {routine!r}: no such routine; allowed are {', '.join(ROUTINE_NAMES)}"
                )
            return run_job(_measured_again(stored, routine), progress)

    def history(self, routine: Routine[ResultT]) -> list[ResultT]:
        """Return all stored results of a routine, oldest first, failed ones too.

        Args:
            routine: One of your own, or of labdiff's.

        Raises:
            CalibrationError: If a file of the archive is damaged.

        Example:
            >>> [found.noise for found in calibration.history(steadiness)]
            [0.0011, 0.0012]
        """
        return self.archive.results_of(routine.result)

    def write_report(self) -> Path:
        """Write verdicts, figures, history and provenance as a page into the archive; return its path.

        Raises:
            UserError: If the page cannot be written.

        Example:
            >>> calibration.write_report()
            PosixPath('runs/calibration/mock-small-seed0/report.html')
        """
        from labdiff.reports.calibration_report import write_calibration_report

        return write_calibration_report(self.archive, self.calibrated.config)

    def __repr__(self) -> str:
        """Return the archive's folder and the verdicts."""
        levels = ", ".join(f"{name}: {verdict.level}" for name, verdict in self.verdicts.items())
        return f"<calibration in {self.archive.folder}: {levels}>"

    def _repr_html_(self) -> str:
        """Return verdicts and figures, for a notebook."""
        from labdiff.reports.calibration_report import calibration_parts
        from labdiff.reports.html_page import fragment

        return fragment(calibration_parts(self.archive, self.calibrated.config))


def calibrate(
    bench: Bench | str | Path = "mock",
    *,
    seed: int = 0,
    only: Sequence[str] = (),
    everything: bool = False,
    needed_only: bool = False,
    thorough: bool = False,
    archive: str | Path | None = None,
    progress: Progress = False,
) -> Calibration:
    """Calibrate a bench: check what is stored with a dozen frames, and measure what no longer holds.

    Args:
        bench: An open bench, or what `open_bench` takes.
        seed: Of a mock bench that is named and not open.
        only: Names of routines that are measured without a check, such as "registration".
        everything: Measure all routines without a check.
        needed_only: Leave out the routines on which no other rests, such as "settling".
        thorough: Take all the frames that routines may take, though results are good enough with fewer.
        archive: Folder of the stored results; None for the bench's own.
        progress: True for a progress bar, or a function that is called with each event.

    Returns:
        The calibration. An open bench is calibrated from then on: `Bench.measure` works.

    Raises:
        UserError: If there is no such bench or routine.
        CalibrationError: If a routine on which others rest fails; the message says what to do.
        JobStoppedError: If Ctrl-C stopped it; what was measured is stored.

    Example:
        >>> with labdiff.open_bench("mock-small") as bench:
        ...     calibration = labdiff.calibrate(bench, progress=True)
        ...     measured = bench.measure(inputs, phases).intensity
        >>> predicted = calibration.predict(inputs, phases)
    """
    with borrowed(bench, seed) as opened:
        origin = origin_of(opened)
        request = CalibrationRequest(
            bench=origin.file,
            seed=origin.seed,
            folder=Path(archive) if archive is not None else origin.archive,
            everything=everything,
            only=tuple(only),
            needed_only=needed_only,
            thorough=thorough,
        )
        prepared = CalibrationJob(request, opened)
        done = run_job(prepared.job(), progress)
    return Calibration(prepared.calibrated, prepared.archive, done.findings, done.measured)


def _own_job(stored: ArchivedCalibration, routine: Routine[ResultT]) -> Job[ResultT]:
    """Measure a routine with the laser on; its end, by whatever way, leaves the bench safe."""
    with stored.calibrated.bench.lent():
        yield JobStarted(routine.name, 1)
        return (yield from stored.measure_own(routine))


def _measured_again(stored: ArchivedCalibration, name: str) -> Job[Result]:
    """Measure one of labdiff's routines with the laser on; its end leaves the bench safe."""
    with stored.calibrated.bench.lent():
        yield JobStarted(name, 1)
        return (yield from stored.measure([name]))[name]


def _tensor(array: npt.NDArray[np.floating]) -> torch.Tensor:
    return torch.as_tensor(array, dtype=torch.float32)
