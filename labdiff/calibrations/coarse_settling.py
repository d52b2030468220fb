"""The routine `coarse settling`: whether the SLM settles in the declared time."""

from __future__ import annotations

from calibration.coarse_settling import CoarseSettling, measure_coarse_settling
from calibration.dark import DarkLevel
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


def _measure(calibrated: CalibratedBench) -> Job[CoarseSettling]:
    bench = calibrated.bench
    open_modulator(calibrated)
    return (yield from measure_coarse_settling(observed_slm(calibrated), bench.layout, bench.clock))


def _apply(calibrated: CalibratedBench, settling: CoarseSettling) -> None:
    calibrated.bench.display.use_coarse_settling(settling)


COARSE_SETTLING = Routine(
    CoarseSettling,
    _measure,
    depends_on=(DarkLevel,),
    apply=_apply,
    purpose="imaging",
    needs=PATTERNS,
)
