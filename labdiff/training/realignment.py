"""After a sudden change of the bench: look at it with twenty frames, find what moved, and go on."""

from __future__ import annotations

import dataclasses

import torch

from calibration.result import CalibrationError
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.twin_alignment import compared, corrected_registration, measure_probes
from labdiff.events import AlignmentStep, StageStarted
from labdiff.job import Job
from labdiff.session.training_session import TrainingSession
from labdiff.training.twin_refinement import TwinRefiner
from twin.alignment_fit import fit_alignment
from twin.parameter_vector import parameter_vector
from twin.parameters import PATH_PARAMETERS, WANDERING_PARAMETERS

FIRST_MOVED = PATH_PARAMETERS & WANDERING_PARAMETERS
"""What a knock turns or shifts: mirror, beam, camera."""
WEAK_RAD, WEAK_FRAMES, WEAK_BLUR_PX = 0.7, 8, (8.0, 8.0, 8.0, 6.0, 5.0, 4.0, 3.0)
STRONG_RAD, STRONG_FRAMES, STRONG_BLUR_PX = 1.5, 8, (4.0, 3.0, 2.0, 1.0, 0.0, 0.0)
HELD_OUT_FRAMES = 4
PROBE_FRAMES = WEAK_FRAMES + STRONG_FRAMES + HELD_OUT_FRAMES
LARGEST_DISCREPANCY = 0.03
SEED = 777
ANEW = ("registration", "exposure", "alignment")
"""What is measured again if twenty frames cannot explain the bench."""


def recover(session: TrainingSession, refinement: TwinRefiner) -> Job[None]:
    """Bring twin, registration and pre-compensation up to date, with the bench to itself.

    Weak, smooth probes and blurred images first, as in the alignment: they lead home from afar. If what
    is found does not predict held-out probes, the bench is calibrated anew.
    Raises CalibrationError if even that does not help.
    """
    total = len(WEAK_BLUR_PX) + len(STRONG_BLUR_PX) + 1
    yield StageStarted(f"the bench has changed: looking with {PROBE_FRAMES} probe frames", total)
    twin, bench = session.calibrated.twin, session.calibrated.bench
    before = twin.alignment()
    stages = (
        (WEAK_RAD, WEAK_FRAMES, WEAK_BLUR_PX, FIRST_MOVED),
        (STRONG_RAD, STRONG_FRAMES, STRONG_BLUR_PX, PATH_PARAMETERS),
    )
    done = 0
    for number, (strength, frames, blur_px, free) in enumerate(stages):
        triples = measure_probes(session.calibrated, "smooth", strength, frames, SEED + number)
        around = parameter_vector(twin)
        for step in fit_alignment(twin, triples, blur_px, free, around=around):
            words = f"smooth probes, D {step.discrepancy:.4f}"
            yield AlignmentStep(done, total, step.discrepancy, twin.alignment(), words)
            done += 1
    held_out = measure_probes(session.calibrated, "smooth", STRONG_RAD, HELD_OUT_FRAMES, SEED + 9)
    d, _ = compared(twin, held_out)
    words = f"held-out probes, D {d:.4f}; {_moved(before, twin.alignment())}"
    yield AlignmentStep(done, total, d, twin.alignment(), words)
    if d <= LARGEST_DISCREPANCY:
        matrix, offset = corrected_registration(session.calibrated)
        assert bench.registration is not None
        bench.use_registration(
            dataclasses.replace(bench.registration, matrix=matrix, offset=offset)
        )
        unmoved = {"output_shear_percent": torch.zeros(2, 2), "output_shift_px": torch.zeros(2)}
        twin.load_alignment(twin.state_dict() | unmoved)
        session.calibrated.precompensate()
    else:
        yield from _anew(session, d)
    refinement.begin_anew()
    yield StageStarted("the bench is known again: learning goes on", 1)


def _anew(session: TrainingSession, d: float) -> Job[None]:
    words = f"{PROBE_FRAMES} frames do not explain the bench (D {d:.2f}): calibrating anew"
    yield StageStarted(words, len(ANEW))
    try:
        yield from measure_routines(session.calibrated, ANEW)
    except CalibrationError as error:
        raise CalibrationError(
            f"the bench changed suddenly while learning, and a new calibration does not help: {error} "
            "Look what has moved or is in the beam, then go on with labdiff train --resume"
        ) from error


def _moved(before: dict[str, float], after: dict[str, float]) -> str:
    """What moved most, in words."""
    turned = {
        part: max(
            abs(after[f"d_alpha_{part}_{axis}_mrad"] - before[f"d_alpha_{part}_{axis}_mrad"])
            for axis in "xy"
        )
        for part in ("beam", "mirror")
    }
    part = max(turned, key=lambda name: turned[name])
    return f"{part} turned by {turned[part]:.2f} mrad"
