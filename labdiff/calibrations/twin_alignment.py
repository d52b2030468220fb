"""Alignment: gap, tilts, beam and registration, found through the twin before training starts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch

from calibration.alignment_found import AlignmentFound
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import CalibrationError
from labdiff.calibrations.alignment_result import alignment_found
from labdiff.calibrations.alignment_validity import probe_alignment
from labdiff.calibrations.probe_frames import ProbeKind, compared, measure_probes
from labdiff.calibrations.ray_alignment import start_from, trace_rays
from labdiff.calibrations.routine import PATTERNS, Routine
from labdiff.events import AlignmentStep
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import build_twin
from twin.alignment_fit import Triples, fit_alignment
from twin.ghost import find_ghost
from twin.parameter_vector import (
    load_parameter_vector,
    parameter_vector,
    reset,
    start_searches,
    value_names,
)
from twin.parameters import FitPhase, free_in
from twin.prior import load_estimates, prior_around, with_estimates


@dataclass(frozen=True, slots=True)
class Stage:
    """Probes of one kind and strength (rms rad, squares, or pixels a block), and how they are fitted.

    phase: of the alignment; it says which parameters are free. blur_px: of each iteration, coarse to
    fine; none if the frames are for a later stage. together: fitted with the frames of the stages before
    in which the details were free, and the last before. prior_share: as `twin.prior.Prior` has it.
    """

    phase: FitPhase
    kind: ProbeKind
    strength: float
    frames: int
    blur_px: tuple[float, ...]
    together: bool = False
    prior_share: float = 1e-2


STAGES = (
    Stage("coarse", "smooth", 0.7, 8, (8.0, 8.0, 6.0, 6.0, 5.0, 4.0)),
    Stage("coarse", "smooth", 1.5, 10, (4.0, 3.0, 3.0, 2.0)),
    Stage("detailed", "smooth", 2.5, 10, (2.0, 1.0, 0.0)),
    Stage("detailed", "squares", 4, 10, ()),
    Stage("finest", "blocks", 8, 10, (0.0, 0.0), together=True, prior_share=1e-4),
)
"""Weak phases and blurred images first; sharp squares and turns of 2 pi, as layers have them, last."""
NEAR_BLUR_PX = (5.0, 4.0)
"""Blurs of the first stage, where rays have measured the angles to a tenth of a milliradian."""

HELD_OUT_FRAMES = 4
HELD_OUT: tuple[ProbeKind, float] = ("squares", 4)


def _measure(calibrated: CalibratedBench) -> Job[AlignmentFound]:
    """Fit the twin to probe patterns, and correct the registration by what it found.

    The search starts from the data sheet, the rays and what other routines found of the twin, which is the
    fit's prior. The twin is left as it was: `_apply` brings it up to date. The verdict is "fail" if the
    aligned twin does not predict patterns that were not fitted.
    """
    twin = calibrated.twin
    before = parameter_vector(twin)
    reset(twin, free_in("finest"))
    rays = yield from trace_rays(calibrated)
    start_from(calibrated, rays)
    estimates = calibrated.estimates
    load_estimates(twin, estimates)
    prior = with_estimates(prior_around(twin), twin, estimates)
    stages = _near(STAGES) if rays.found else STAGES
    total = sum(len(stage.blur_px) for stage in stages) + 1
    done = 0
    detailed: list[Triples] = []
    phase: FitPhase = "coarse"
    for number, stage in enumerate(stages):
        triples = measure_probes(calibrated, stage.kind, stage.strength, stage.frames, 100 + number)
        if stage.phase != phase:
            phase = stage.phase
            start_searches(twin, phase)
            load_estimates(twin, estimates)
        detailed = [triples] if phase == "coarse" else [*detailed, triples]
        fitted = Triples.joined(detailed) if stage.together else triples
        finest = phase == "finest"
        if finest:
            find_ghost(twin, fitted)
        weighted = dataclasses.replace(prior, share=stage.prior_share)
        for step in fit_alignment(
            twin, fitted, stage.blur_px, free_in(phase), weighted, chord=finest
        ):
            yield AlignmentStep(
                step=done,
                total=total,
                discrepancy=step.discrepancy,
                alignment=twin.alignment(),
                message=f"{stage.kind} probes, D {step.discrepancy:.4f}",
                picture=triples.intensity[0].numpy(),
            )
            done += 1
            fit = step
    held_out = measure_probes(calibrated, *HELD_OUT, HELD_OUT_FRAMES, 999)
    d, unit = compared(twin, held_out)
    yield AlignmentStep(done, total, d, twin.alignment(), f"held-out probes, D {d:.4f}")
    probe = held_out.inputs[:1], held_out.phases[0]
    with torch.no_grad():
        after = unit * twin(*probe)[0]
        by_data_sheet = unit * build_twin(calibrated.config)(*probe)[0]
    found = dataclasses.replace(
        alignment_found(calibrated, fit, d, unit),
        probe_measured=held_out.intensity[0].numpy(),
        probe_before=by_data_sheet.numpy(),
        probe_after=after.numpy(),
    )
    load_parameter_vector(twin, before)
    return found


def _near(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return stages that begin where the angles are known to a tenth of a milliradian."""
    return dataclasses.replace(stages[0], blur_px=NEAR_BLUR_PX), *stages[1:]


def _apply(calibrated: CalibratedBench, found: AlignmentFound) -> None:
    """Apply twin, registration and unit of intensity as the alignment found them; tilts go onto the SLM.

    Raises CalibrationError if the alignment is of a twin with other parameters.
    """
    twin, bench = calibrated.twin, calibrated.bench
    if found.names != value_names(twin):
        raise CalibrationError(
            "alignment: stored by a version whose twin has other parameters; run "
            "labdiff calibrate --only alignment"
        )
    load_parameter_vector(twin, torch.from_numpy(found.value).float())
    bench.use_registration(
        dataclasses.replace(
            calibrated.registration,
            matrix=found.registration_matrix,
            offset=found.registration_offset,
        )
    )
    bench.counts_per_ms_per_unit = found.counts_per_ms_per_unit
    covariance = found.covariance if found.covariance.size else np.diag(found.sigma**2)
    calibrated.covariance = torch.from_numpy(covariance)
    calibrated.precompensate()


ALIGNMENT = Routine(
    AlignmentFound,
    _measure,
    depends_on=(Registration, PhaseResponse),
    apply=_apply,
    validity_probe=probe_alignment,
    purpose="prediction",
    fits_twin=True,
    needs=PATTERNS,
)
