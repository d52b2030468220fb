"""The routine `settling`: how long the SLM takes to show a pattern."""

from __future__ import annotations

from calibration.coarse_settling import CoarseSettling
from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.settling import SettlingFound, measure_settling
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


def _measure(calibrated: CalibratedBench) -> Job[SettlingFound]:
    bench = calibrated.bench
    open_modulator(calibrated)
    return (
        yield from measure_settling(
            observed_slm(calibrated),
            bench.layout,
            bench.clock,
            bench.display.phase_by_grey_rad,
            waited_ms=bench.display.measured_settle_ms,
        )
    )


def _apply(calibrated: CalibratedBench, settling: SettlingFound) -> None:
    calibrated.bench.display.use_settling(settling)


SETTLING = Routine(
    SettlingFound,
    _measure,
    depends_on=(DarkLevel, CoarseSettling, Registration, PhaseResponse),
    apply=_apply,
    needed=False,
    needs=PATTERNS,
)
