"""Which archived calibrations are still valid: seen with a dozen frames, not in the calendar."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.archive import CalibrationArchive
from calibration.result_file import Result
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.feasible import not_measurable
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.own_validity import own_findings
from labdiff.calibrations.routine import Findings, ValidityFinding
from labdiff.calibrations.routines import ROUTINES, routine, with_dependents
from labdiff.events import StageStarted, ValidityChecked
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


@dataclass(frozen=True, slots=True)
class CalibrationDone:
    """What a calibration job has done.

    findings: of the validity check, if there was one; else of what the bench cannot measure. measured:
    results by routine.
    """

    findings: tuple[ValidityFinding, ...]
    measured: dict[str, Result]


def bring_up_to_date(
    calibrated: CalibratedBench, archived: ArchivedCalibration, needed_only: bool = False
) -> Job[CalibrationDone]:
    """Resume what a crash cut short, or check the bench and measure what is no longer valid.

    Args:
        calibrated: the bench.
        archived: its archive.
        needed_only: measure nothing without which a calibration does not fail.
    """
    plan, findings = yield from what_to_measure(calibrated, archived, needed_only)
    return CalibrationDone(tuple(findings), (yield from archived.measure(plan)))


def what_to_measure(
    calibrated: CalibratedBench, archived: ArchivedCalibration, needed_only: bool = False
) -> Job[tuple[tuple[str, ...], list[ValidityFinding]]]:
    """Return what a crash has left over, or what a check finds invalid, in the routines' order.

    What is still valid is applied.

    Args:
        calibrated: the bench.
        archived: its archive.
        needed_only: as in `bring_up_to_date`.
    """
    left = archived.unfinished()
    if left:
        archived.apply_stored(set(ROUTINE_NAMES) - set(left))
        return left, []
    findings = yield from check_validity(calibrated, archived)
    plan = to_measure(findings) - set(not_measurable(calibrated.config))
    wanted = (each for each in ROUTINES if each.name in plan and (each.needed or not needed_only))
    return tuple(each.name for each in wanted), findings


def check_validity(
    calibrated: CalibratedBench, archived: ArchivedCalibration
) -> Job[list[ValidityFinding]]:
    """Apply what is archived and check whether it is still valid; findings in the routines' order.

    2 frames in the dark, 1 of a flat SLM, 8 of probe patterns. What is found of the power is applied too:
    it is a number. Routines of scripts, whose code is not at hand, are judged by what they depend on.
    """
    missing = left_out(calibrated)
    measurable = [each for each in ROUTINES if each.name not in missing]
    archived.apply_stored(each.name for each in measurable)
    in_use = archived.in_use
    findings: Findings = missing | {
        each.name: _missing(archived.archive, each.name)
        for each in measurable
        if each.name not in in_use
    }
    yield StageStarted("checking the bench", 1)
    for each in measurable:
        known = archived.result_in_use(each.name)
        if known is not None and each.validity_probe is not None:
            findings |= yield from each.validity_probe(calibrated, known, findings)
    for name in ROUTINE_NAMES:
        findings.setdefault(name, ValidityFinding(name, "fresh", "nothing speaks against it"))
    found = [findings[name] for name in ROUTINE_NAMES]
    found += own_findings(archived.archive, in_use, findings)
    yield ValidityChecked(tuple((f.routine, f.state, f.reason) for f in found))
    return found


def left_out(calibrated: CalibratedBench) -> Findings:
    """Return the findings on what the bench cannot measure, for it lacks a device."""
    missing = not_measurable(calibrated.config)
    return {name: ValidityFinding(name, "left out", why) for name, why in missing.items()}


def to_measure(findings: list[ValidityFinding]) -> set[str]:
    """Return what is to be measured: what is not fresh, and what depends on it.

    One that failed and on which nothing depends waits until it is asked for.
    """
    return with_dependents(f.routine for f in findings if f.state in ("stale", "never"))


def _missing(archive: CalibrationArchive, name: str) -> ValidityFinding:
    """Return the finding on a routine without a result that could be used."""
    history = archive.history(name)
    if not history or history[-1].good:
        return ValidityFinding(name, "never", "not measured yet")
    reason = f"the last one failed: {history[-1].result.verdict.reason}"
    return ValidityFinding(name, "never" if routine(name).needed else "failed", reason)
