"""Whether the aligned twin still predicts the bench; if not, what of all that wanders explains it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.step import CalibrationStep
from labdiff.calibrations.alignment_result import LARGEST_DISCREPANCY
from labdiff.calibrations.light_check import light_of
from labdiff.calibrations.probe_frames import compared, measure_probes
from labdiff.calibrations.routine import Findings, ValidityFinding
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import TRACKED
from twin.parameter_vector import load_parameter_vector, parameter_vector
from twin.parameters import WANDERING_PARAMETERS
from twin.prior import prior_around

PROBE_FRAMES, PROBE_SQUARES, PROBE_SEED = 8, 4, 555
BLUR_PX = (4.0, 2.0, 1.0, 0.0, 0.0)
PRIOR_SHARE = 1e-3
LARGEST_SHIFT_PX = 0.3
"""Largest shift of the camera with which a registration stays valid."""
LARGEST_STROKE_PERCENT = 1.0
"""Largest change of a patch's stroke with which a phase response stays valid."""


def probe_alignment(
    calibrated: CalibratedBench,
    known: AlignmentFound,
    findings: Mapping[str, ValidityFinding],
) -> Job[Findings]:
    """Take eight frames of probe patterns, if the exposure is right, and compare them with the twin.

    Args:
        calibrated: the bench.
        known: the alignment in use.
        findings: of earlier routines' probes.
    """
    name = AlignmentFound.routine
    exposure = findings.get(Exposure.routine)
    if exposure is None or exposure.state != "fresh":
        return {}
    expected_d = known.held_out_d
    limit = min(2.0 * expected_d + 0.002, LARGEST_DISCREPANCY)
    probes = measure_probes(calibrated, "squares", PROBE_SQUARES, PROBE_FRAMES, PROBE_SEED)
    d, _ = compared(calibrated.twin, probes)
    reason = f"probes D {d:.4f}, {expected_d:.4f} when it was measured"
    light = light_of(calibrated.twin, probes)
    if d <= limit:
        reason += f"; offset {light.offset:+.3f}, scale steady to {light.scale_scatter:.1%}"
    yield CalibrationStep(name, 0, 1, reason)
    if d <= limit:
        verdict = light.verdict()
        if verdict.level == "fail":
            return {name: ValidityFinding(name, "stale", f"{reason}; {verdict.reason}")}
        return {name: ValidityFinding(name, "fresh", reason)}
    return _attributed(calibrated.twin, probes, reason)


def _attributed(twin: DigitalTwin, probes: Triples, reason: str) -> Findings:
    """Fit what wanders, say how far each did, and put the twin back."""
    before = parameter_vector(twin)
    moved = {name: twin.get_parameter(name).detach().clone() for name in WANDERING_PARAMETERS}
    prior = prior_around(twin, share=PRIOR_SHARE)
    for _ in fit_alignment(twin, probes, BLUR_PX, WANDERING_PARAMETERS, prior):
        pass
    explained_d, _ = compared(twin, probes)
    change = {
        name: (twin.get_parameter(name).detach() - start).numpy() for name, start in moved.items()
    }
    load_parameter_vector(twin, before)
    shift_px = float(np.hypot(*change["output_shift_px"]))
    turn_mrad = float(max(np.hypot(*change[name]) for name in TRACKED))
    stroke_percent = float(np.abs(change["stroke_percent"][:, 0]).max())
    # What the fit cannot explain may lie anywhere.
    lost = explained_d > LARGEST_DISCREPANCY
    turned = f"{reason}; beam or mirror turned by {turn_mrad:.2f} mrad"
    judged = (
        (Registration, lost or shift_px > LARGEST_SHIFT_PX, f"moved by {shift_px:.1f} px"),
        (
            PhaseResponse,
            lost or stroke_percent > LARGEST_STROKE_PERCENT,
            f"stroke changed by {stroke_percent:.1f} %",
        ),
        (AlignmentFound, True, turned),
    )
    return {
        result.routine: ValidityFinding(result.routine, "stale" if stale else "fresh", message)
        for result, stale, message in judged
    }
