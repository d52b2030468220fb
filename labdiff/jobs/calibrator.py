"""How a job calibrates its bench: all routines measured, or with the archive of its calibrations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calibration.archive import CalibrationArchive
from calibration.result_file import Result
from labdiff.calibrations.archived import ArchivedCalibration, measure_routines
from labdiff.calibrations.routines import IMAGING, PREDICTION
from labdiff.calibrations.validity import bring_up_to_date, what_to_measure
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


class Calibrator:
    """Measures every routine and stores nothing."""

    def __init__(self, calibrated: CalibratedBench) -> None:
        self.calibrated = calibrated

    def any_stored(self) -> bool:
        """Return whether there are results of earlier calibrations."""
        return False

    def plan(self) -> Job[tuple[str, ...]]:
        """Check which results still hold; return the routines to be measured, in order."""
        yield from ()
        return (*IMAGING, *PREDICTION)

    def measure(self, names: Iterable[str]) -> Job[dict[str, Result]]:
        """Measure these routines and apply their results. Raises CalibrationError if one fails."""
        return (yield from measure_routines(self.calibrated, names))

    def bring_up_to_date(self) -> Job[None]:
        """Measure what does not hold and what training or generating needs."""
        yield from self.measure((yield from self.plan()))

    def forget_unfinished(self) -> None:
        """Forget what an interrupted calibration has measured so far."""


class ArchiveCalibrator(Calibrator):
    """Uses what the bench's archive holds and is still valid, and stores what is measured."""

    def __init__(self, calibrated: CalibratedBench, folder: Path, bench_text: str) -> None:
        super().__init__(calibrated)
        self._stored = ArchivedCalibration(calibrated, CalibrationArchive(folder), bench_text)

    def any_stored(self) -> bool:
        """Return whether the archive holds any results."""
        return self._stored.any_stored()

    def plan(self) -> Job[tuple[str, ...]]:
        """Check the stored results, apply what still holds; return the routines to be measured."""
        plan, _ = yield from what_to_measure(self.calibrated, self._stored, needed_only=True)
        return plan

    def measure(self, names: Iterable[str]) -> Job[dict[str, Result]]:
        """Measure these routines, store and apply their results. Raises CalibrationError if one fails."""
        return (yield from self._stored.measure(names))

    def bring_up_to_date(self) -> Job[None]:
        """Check the stored results, and measure what no longer holds."""
        yield from bring_up_to_date(self.calibrated, self._stored, needed_only=True)

    def forget_unfinished(self) -> None:
        """Forget what an interrupted calibration has measured so far."""
        self._stored.forget_unfinished()


def calibrator(calibrated: CalibratedBench, folder: Path | None, bench_text: str) -> Calibrator:
    """Return how a bench is calibrated.

    Args:
        calibrated: the bench, with its laser on.
        folder: of the archive of its calibrations; None: all is measured, and nothing stored.
        bench_text: of its bench file, which the archive's results belong to.
    """
    if folder is None:
        return Calibrator(calibrated)
    return ArchiveCalibrator(calibrated, folder, bench_text)
