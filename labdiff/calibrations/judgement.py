"""The verdict on a result: its routine's check, whether its numbers can be, and the likeliest causes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from calibration.result import CalibrationError, Verdict
from calibration.result_file import Result
from calibration.signs import Sign
from labdiff.bench.fault_log import REOPENED
from labdiff.calibrations.diagnosis import Diagnosis, diagnose, with_diagnosis
from labdiff.calibrations.plausibility import with_plausibility
from labdiff.session.calibrated_bench import CalibratedBench

LOST_FRAMES = 2
"""Frames that the camera did not deliver, or delivered twice or torn, from which on they are a sign."""


def judged(calibrated: CalibratedBench, measured: Result) -> Result:
    """Return a result with its whole verdict, which the bench remembers; one that is no pass names causes.

    Args:
        calibrated: the bench, with the verdicts of the routines before.
        measured: as its routine found it.
    """
    result = with_plausibility(measured, calibrated.config)
    calibrated.verdicts[result.routine] = result.verdict
    if result.verdict.level == "pass":
        return result
    verdict = _named(calibrated, result.verdict)
    return result if verdict is result.verdict else dataclasses.replace(result, verdict=verdict)


@contextmanager
def causes_named(calibrated: CalibratedBench, routine: str) -> Iterator[None]:
    """Let the error of a routine that cannot go on name the likeliest causes.

    Args:
        calibrated: the bench, with the verdicts of the routines before.
        routine: that is measured.
    """
    try:
        yield
    except CalibrationError as error:
        if error.verdict is None:
            raise
        calibrated.verdicts[routine] = error.verdict
        verdict = _named(calibrated, error.verdict)
        if verdict is error.verdict:
            raise
        said = verdict.remedy.removeprefix(error.verdict.remedy)
        raise CalibrationError(f"{error}{said}", verdict) from error


def diagnosis(calibrated: CalibratedBench) -> Diagnosis:
    """Return what all verdicts since the bench was opened, and its log of faults, speak for."""
    verdicts = calibrated.verdicts
    signs: dict[str, tuple[Sign, ...]] = {name: verdict.signs for name, verdict in verdicts.items()}
    if _lost_frames(calibrated) >= LOST_FRAMES:
        signs["bench"] = ("frames lost",)
    return diagnose(signs, [name for name, each in verdicts.items() if each.level != "fail"])


def _named(calibrated: CalibratedBench, verdict: Verdict) -> Verdict:
    """Return a verdict with causes, if it is a failure or has signs of its own."""
    if not (verdict.signs or verdict.level == "fail"):
        return verdict
    found = diagnosis(calibrated)
    return with_diagnosis(verdict, found) if found.likely else verdict


def _lost_frames(calibrated: CalibratedBench) -> int:
    bench = calibrated.bench
    logged = sum(
        number
        for (device, kind), number in bench.fault_log.counts.items()
        if device == "camera" and kind not in (REOPENED, "saturated")
    )
    rejected = sum(bench.frames_rejected[reason] for reason in ("dropped", "duplicated", "torn"))
    return logged + rejected
