"""After a change point: measure twenty probe frames, find what moved on the bench, and continue."""

from __future__ import annotations

from calibration.result import CalibrationError
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.probe_frames import compared, measure_probes
from labdiff.calibrations.registration_correction import take_registration_correction
from labdiff.events import AlignmentStep, StageStarted
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.training.twin_refinement import TwinRefiner
from twin.alignment_fit import fit_alignment
from twin.parameters import PATH_PARAMETERS, WANDERING_PARAMETERS
from twin.prior import prior_around

FIRST_FREE = PATH_PARAMETERS & WANDERING_PARAMETERS
"""Parameters that a knock turns or shifts: mirror, beam, camera."""
WEAK_RAD, WEAK_FRAMES, WEAK_BLUR_PX = 0.7, 8, (8.0, 8.0, 8.0, 6.0, 5.0, 4.0, 3.0)
STRONG_RAD, STRONG_FRAMES, STRONG_BLUR_PX = 1.5, 8, (4.0, 3.0, 2.0, 1.0, 0.0, 0.0)
HELD_OUT_FRAMES = 4
PROBE_FRAMES = WEAK_FRAMES + STRONG_FRAMES + HELD_OUT_FRAMES
LARGEST_DISCREPANCY = 0.03
"""Discrepancy on held-out probes above which the bench is calibrated again."""
SEED = 777
CALIBRATED_AGAIN = ("registration", "exposure", "alignment")
"""Routines that are measured again if twenty frames cannot explain the bench."""


def realign(calibrated: CalibratedBench, refiner: TwinRefiner) -> Job[None]:
    """Bring twin, registration and pre-compensation up to date; no batch may be in progress.

    Weak, smooth probes and blurred images first, as in the alignment: they converge from afar. If what
    is found does not predict held-out probes, the bench is calibrated again.
    Raises CalibrationError if even that does not help.
    """
    total = len(WEAK_BLUR_PX) + len(STRONG_BLUR_PX) + 1
    yield StageStarted(f"the bench has changed: measuring {PROBE_FRAMES} probe frames", total)
    twin = calibrated.twin
    before = twin.alignment()
    stages = (
        (WEAK_RAD, WEAK_FRAMES, WEAK_BLUR_PX, FIRST_FREE),
        (STRONG_RAD, STRONG_FRAMES, STRONG_BLUR_PX, PATH_PARAMETERS),
    )
    done = 0
    for number, (strength, frames, blur_px, free) in enumerate(stages):
        triples = measure_probes(calibrated, "smooth", strength, frames, SEED + number)
        for step in fit_alignment(twin, triples, blur_px, free, prior_around(twin)):
            message = f"smooth probes, D {step.discrepancy:.4f}"
            yield AlignmentStep(done, total, step.discrepancy, twin.alignment(), message)
            done += 1
    held_out = measure_probes(calibrated, "smooth", STRONG_RAD, HELD_OUT_FRAMES, SEED + 9)
    d, _ = compared(twin, held_out)
    message = f"check frames, mismatch {d:.4f}; {_largest_turn(before, twin.alignment())}"
    yield AlignmentStep(done, total, d, twin.alignment(), message)
    if d <= LARGEST_DISCREPANCY:
        calibrated.bench.use_registration(take_registration_correction(calibrated))
        calibrated.precompensate()
    else:
        yield from _calibrate_again(calibrated, d)
    refiner.restart()
    yield StageStarted("the bench is known again: training continues", 1)


def _calibrate_again(calibrated: CalibratedBench, d: float) -> Job[None]:
    message = f"{PROBE_FRAMES} frames do not explain the bench (D {d:.2f}): calibrating again"
    yield StageStarted(message, len(CALIBRATED_AGAIN))
    try:
        yield from measure_routines(calibrated, CALIBRATED_AGAIN)
    except CalibrationError as error:
        raise CalibrationError(
            f"the bench changed suddenly during training, and a new calibration does not help: {error} "
            "Check what has moved or is in the beam, then resume: labdiff train --resume"
        ) from error


def _largest_turn(before: dict[str, float], after: dict[str, float]) -> str:
    """Return which part turned most, and by how much, as text."""
    turned = {
        part: max(
            abs(after[f"d_alpha_{part}_{axis}_mrad"] - before[f"d_alpha_{part}_{axis}_mrad"])
            for axis in "xy"
        )
        for part in ("beam", "mirror")
    }
    part = max(turned, key=lambda name: turned[name])
    return f"{part} turned by {turned[part]:.2f} mrad"
