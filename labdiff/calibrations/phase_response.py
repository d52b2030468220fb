"""The routine `phase response`: the phase of each grey level of the SLM."""

from __future__ import annotations

from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse, measure_phase_response
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


def _measure(calibrated: CalibratedBench) -> Job[PhaseResponse]:
    return (
        yield from measure_phase_response(
            observed_slm(calibrated),
            calibrated.bench.layout,
            thorough=calibrated.config.calibration.thorough,
        )
    )


def _apply(calibrated: CalibratedBench, response: PhaseResponse) -> None:
    calibrated.bench.display.use_phase_response(response.phase_by_grey_rad)


PHASE_RESPONSE = Routine(
    PhaseResponse,
    _measure,
    depends_on=(DarkLevel,),
    apply=_apply,
    purpose="prediction",
    needs=PATTERNS,
)
