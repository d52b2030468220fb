"""What a calibration routine is: how it is measured, how its result is applied, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias

import numpy as np

from calibration.observed_slm import ObservedSLM
from calibration.result import CalibrationResult
from calibration.result_file import ResultT
from labdiff.bench.presence import DeviceKind
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

State = Literal["fresh", "stale", "never", "failed", "left out"]
"""Of a routine; one that is left out cannot be measured on this bench, which lacks a device."""
Purpose = Literal["imaging", "prediction", "inspection"]
"""What a routine's result is for: to read the camera at all, to predict it, or for people to see."""


@dataclass(frozen=True, slots=True)
class ValidityFinding:
    """Whether one routine's stored result is still valid, and why."""

    routine: str
    state: State
    reason: str


Findings: TypeAlias = dict[str, ValidityFinding]
"""What checks found, by the routine's name."""
ValidityProbe: TypeAlias = Callable[
    [CalibratedBench, ResultT, Mapping[str, ValidityFinding]], Job[Findings]
]


def _apply_nothing(calibrated: CalibratedBench, result: object) -> None:
    """Leave bench and twin as they are: the result is for people to see."""


@dataclass(frozen=True, slots=True)
class Routine(Generic[ResultT]):
    """One calibration routine; its name, title and figure are those of its result's type.

    labdiff's own are registered in `labdiff.calibrations.routines`; one that is defined in a script is
    measured by `labdiff.Calibration.measure`.

    Attributes:
        result: type of what it finds.
        measure: the job that measures it on an open bench.
        depends_on: results that have to be in use before; a new one of them makes this one stale.
        apply: puts a result to use, one just measured or one stored earlier: on the bench, or as what
            `CalibratedBench.contribute` gives the twin.
        validity_probe: a few frames that tell whether a stored result is still valid, and perhaps those
            of other routines; it is given what was found of earlier routines. Without one, a result is
            valid as long as those that it depends on are.
        purpose: what the result is for.
        needed: whether a failure ends the calibration; without it a failure is archived and shown.
        fits_twin: whether it starts from what other routines have contributed to the twin, if they have.
        needs: devices without which it cannot be measured; on a bench that lacks one it is left out, with
            the reason.

    Example:
        >>> routine = labdiff.Routine(MyResult, measure_it, depends_on=(Registration,))
        >>> calibration.measure(routine).verdict.level
        'pass'
    """

    result: type[ResultT]
    measure: Callable[[CalibratedBench], Job[ResultT]]
    depends_on: tuple[type[CalibrationResult], ...] = ()
    apply: Callable[[CalibratedBench, ResultT], None] = _apply_nothing
    validity_probe: ValidityProbe[ResultT] | None = None
    purpose: Purpose = "inspection"
    needed: bool = True
    fits_twin: bool = False
    needs: tuple[DeviceKind, ...] = ()

    @property
    def name(self) -> str:
        """Return the name, as the archive, the command line and the window have it."""
        return self.result.routine

    @property
    def parents(self) -> tuple[str, ...]:
        """Return the names of the routines on whose results this one depends."""
        return tuple(parent.routine for parent in self.depends_on)


PATTERNS: tuple[DeviceKind, ...] = ("camera", "laser", "input", "slm")
"""What it takes to see light follow patterns."""


def observed_slm(calibrated: CalibratedBench) -> ObservedSLM:
    """Return the bench's SLM and camera, as the routines of `calibration` work with them."""
    bench = calibrated.bench
    return ObservedSLM(bench.slm, bench.camera, calibrated.pedestal_counts, bench.settle)


def open_modulator(calibrated: CalibratedBench) -> None:
    """Turn all mirrors of a DMD on: what follows measures what the layers do."""
    bench = calibrated.bench
    if bench.dmd is not None:
        bench.dmd.show(np.ones(bench.layout.patch_shape, np.float32))
        bench.clock.sleep_s(bench.dmd.timing.total_ms / 1e3)
