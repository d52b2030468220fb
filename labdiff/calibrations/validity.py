"""Which calibrations still hold: seen with a dozen frames, not in the calendar; the others anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive
from calibration.dark import measure_dark
from calibration.result_file import Result
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.routines import ALL, flat_light, resting_on, routine
from labdiff.calibrations.twin_alignment import (
    HELD_OUT,
    LARGEST_DISCREPANCY,
    compared,
    measure_probes,
)
from labdiff.events import StageStarted, ValidityChecked
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import TRACKED
from twin.parameter_vector import load_parameter_vector, parameter_vector
from twin.parameters import WANDERING_PARAMETERS

State = Literal["fresh", "stale", "never", "failed"]
DARK_FRAMES = 2
PROBE_FRAMES = 8
PROBE_SEED = 555
BLUR_PX = (4.0, 2.0, 1.0, 0.0, 0.0)

LARGEST_PEDESTAL_CHANGE = 1e-3
"""Share of full scale."""
LARGEST_POWER_CHANGE = 0.2
"""Beyond it frames get too dark or too bright; below it the unit of light is set anew, and that is all."""
LARGEST_SHIFT_PX = 0.3
LARGEST_STROKE_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class ValidityFinding:
    """State of one routine's stored result, and why, in words."""

    routine: str
    state: State
    words: str


@dataclass(frozen=True, slots=True)
class CalibrationDone:
    """findings: of the look at the bench, if there was one. measured: results by routine."""

    findings: tuple[ValidityFinding, ...]
    measured: dict[str, Result]


def bring_up_to_date(
    calibrated: CalibratedBench, kept: ArchivedCalibration, needed_only: bool = False
) -> Job[CalibrationDone]:
    """Go on with what a crash cut short, or look at the bench and measure what no longer holds.

    needed_only: nothing on which no other routine rests.
    """
    plan, findings = yield from what_to_measure(calibrated, kept, needed_only)
    return CalibrationDone(tuple(findings), (yield from kept.measure(plan)))


def what_to_measure(
    calibrated: CalibratedBench, kept: ArchivedCalibration, needed_only: bool = False
) -> Job[tuple[tuple[str, ...], list[ValidityFinding]]]:
    """What a crash has left over, or what a look at the bench says; in the routines' order.

    What still holds is put to use.
    """
    left = kept.unfinished()
    if left:
        kept.use_stored(set(ALL) - set(left))
        return left, []
    findings = yield from look(calibrated, kept)
    plan = _to_redo(findings)
    return tuple(n for n in ALL if n in plan and (routine(n).needed or not needed_only)), findings


def look(calibrated: CalibratedBench, kept: ArchivedCalibration) -> Job[list[ValidityFinding]]:
    """Put to use what is stored, and see whether it still holds; findings in the routines' order.

    2 frames in the dark, 1 of a flat SLM, 8 of probe patterns. What is found of power is put to use too:
    it is a number.
    """
    kept.use_stored(ALL)
    archive, in_use = kept.archive, kept.in_use
    findings = {name: _missing(archive, name) for name in ALL if name not in in_use}
    yield StageStarted("looking at the bench", 1)
    if "dark level" in in_use:
        findings["dark level"] = yield from _dark(calibrated)
    if {"registration", "exposure"} <= set(in_use):
        findings["exposure"] = _power(calibrated)
    if "alignment" in in_use and findings["exposure"].state == "fresh":
        findings.update(_aligned(calibrated, archive))
    for name in ALL:
        findings.setdefault(name, ValidityFinding(name, "fresh", "nothing speaks against it"))
    found = [findings[name] for name in ALL]
    yield ValidityChecked(tuple((f.routine, f.state, f.words) for f in found))
    return found


def _to_redo(findings: list[ValidityFinding]) -> set[str]:
    """What is to be measured: what is not fresh, and what rests on it.

    One that failed and on which nothing rests waits until it is asked for.
    """
    wanted = {f.routine for f in findings if f.state in ("stale", "never")}
    return resting_on(wanted)


def _missing(archive: CalibrationArchive, name: str) -> ValidityFinding:
    """Of a routine without a result that could be used."""
    history = archive.history(name)
    if not history or history[-1].good:
        return ValidityFinding(name, "never", "not measured yet")
    words = f"the last one failed: {history[-1].result.verdict.reason}"
    return ValidityFinding(name, "never" if routine(name).needed else "failed", words)


def _dark(calibrated: CalibratedBench) -> Job[ValidityFinding]:
    bench = calibrated.bench
    assert bench.dark is not None
    known = bench.dark
    now = yield from measure_dark(bench.camera, bench.laser, bench.clock.sleep_s, DARK_FRAMES)
    change = now.pedestal_counts - known.pedestal_counts
    limit = LARGEST_PEDESTAL_CHANGE * 2**bench.camera.bit_depth
    words = f"pedestal moved by {change:+.2f} counts"
    return ValidityFinding("dark level", "fresh" if abs(change) <= limit else "stale", words)


def _power(calibrated: CalibratedBench) -> ValidityFinding:
    """One frame of a flat SLM; the unit of light follows the power."""
    bench = calibrated.bench
    ratio = flat_light(calibrated)
    words = f"power {ratio - 1.0:+.1%}"
    if not abs(ratio - 1.0) <= LARGEST_POWER_CHANGE:
        return ValidityFinding("exposure", "stale", words)
    bench.counts_per_ms_per_unit *= ratio
    return ValidityFinding("exposure", "fresh", words)


def _aligned(
    calibrated: CalibratedBench, archive: CalibrationArchive
) -> dict[str, ValidityFinding]:
    """Does the twin still predict; if not, which of the things that may move explains it?"""
    stored = archive.latest("alignment")
    assert stored is not None
    assert isinstance(stored.result, AlignmentFound)
    usual_d = stored.result.held_out_d
    limit = min(2.0 * usual_d + 0.002, LARGEST_DISCREPANCY)
    probes = measure_probes(calibrated, *HELD_OUT, PROBE_FRAMES, PROBE_SEED)
    d, _ = compared(calibrated.twin, probes)
    words = f"probes D {d:.4f}, {usual_d:.4f} when it was measured"
    if d <= limit:
        return {"alignment": ValidityFinding("alignment", "fresh", words)}
    return _attributed(calibrated.twin, probes, words)


def _attributed(twin: DigitalTwin, probes: Triples, words: str) -> dict[str, ValidityFinding]:
    """Fit what may move, say how far each did, and put the twin back."""
    before = parameter_vector(twin)
    moved = {name: twin.get_parameter(name).detach().clone() for name in WANDERING_PARAMETERS}
    for _ in fit_alignment(
        twin, probes, BLUR_PX, WANDERING_PARAMETERS, prior_share=1e-3, around=before
    ):
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
    return {
        "registration": _judged(
            "registration", f"moved by {shift_px:.1f} px", lost or shift_px > LARGEST_SHIFT_PX
        ),
        "phase response": _judged(
            "phase response",
            f"stroke changed by {stroke_percent:.1f} %",
            lost or stroke_percent > LARGEST_STROKE_PERCENT,
        ),
        "alignment": ValidityFinding(
            "alignment", "stale", f"{words}; beam or mirror turned by {turn_mrad:.2f} mrad"
        ),
    }


def _judged(name: str, words: str, stale: bool) -> ValidityFinding:
    return ValidityFinding(name, "stale" if stale else "fresh", words)
