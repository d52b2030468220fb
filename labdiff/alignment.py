"""Alignment: gap, tilts, beam and registration, found through the twin before training starts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from calibration.alignment_found import AlignmentFound
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import CalibrationError, Verdict
from labdiff.events import AlignmentStep, Calibrated
from labdiff.rays import start_from, trace_rays
from labdiff.runner import Job
from labdiff.session import Session
from twin.digital_twin import DigitalTwin
from twin.ghost import find_ghost
from twin.probes import block_phases, smooth_phases, square_phases
from twin.refine import FitStep, Triples, fit_alignment, parameter_vector

ProbeKind = Literal["smooth", "squares", "blocks"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Probes of one kind and strength (rms rad, squares, or pixels a block), and how they are fitted.

    blur_px: of each iteration, coarse to fine; none if the frames are for a later stage. together:
    fitted with the frames of the stages before in which the details were free. prior: its weight, as
    `twin.refine.fit_alignment` has it.
    """

    kind: ProbeKind
    strength: float
    frames: int
    blur_px: tuple[float, ...]
    together: bool = False
    prior: float = 1e-2


STAGES = (
    Stage("smooth", 0.7, 8, (8.0, 8.0, 6.0, 6.0, 5.0, 4.0)),
    Stage("smooth", 1.5, 10, (4.0, 3.0, 3.0, 2.0)),
    Stage("smooth", 2.5, 10, (2.0, 1.0, 0.0)),
    Stage("squares", 4, 10, ()),
    Stage("blocks", 8, 10, (0.0, 0.0), together=True, prior=1e-4),
)
"""Weak phases and blurred images first; sharp squares and turns of 2 pi, as layers have them, last."""
NEAR_BLUR_PX = (5.0, 4.0)
"""Of the first stage where rays have told the angles to a tenth of a milliradian."""

DETAILS = (
    "crosstalk_px",
    "zero_order_percent",
    "backplane_rad",
    "defocus_percent",
    "aberration_rad",
    "mirror_edge_px",
)
"""Small beside wrong tilts and distances: they wait until those are about right."""
FINEST_DETAILS = (
    "source_amplitude_percent",
    "source_phase_rad",
    "ghost_percent",
    "ghost_mrad",
    "stroke_percent",
    "bend_rad",
    "distortion_percent",
)
"""Of these there are many, each of little weight: free in the last stage alone."""
FIRST_DETAILED_STAGE = 2
START = {"crosstalk_px": 0.2, "mirror_edge_px": 1.0}
"""Where their search starts: sharp pixels and an edge far away give no slope to follow."""

LARGEST_DISCREPANCY = 0.03
HELD_OUT_FRAMES = 4


def align(session: Session) -> Job[float]:
    """Fit the twin to probe patterns, correct the registration by what it found; returns held-out D.

    Raises CalibrationError if the aligned twin does not predict patterns that were not fitted.
    """
    twin = session.twin
    rays = yield from trace_rays(session)
    start_from(session, rays)
    around = parameter_vector(twin)
    stages = (
        (dataclasses.replace(STAGES[0], blur_px=NEAR_BLUR_PX), *STAGES[1:])
        if rays.found
        else STAGES
    )
    total = sum(len(stage.blur_px) for stage in stages) + 1
    done = 0
    kept: list[Triples] = []
    for number, stage in enumerate(stages):
        triples = measure_probes(session, stage.kind, stage.strength, stage.frames, 100 + number)
        if number == FIRST_DETAILED_STAGE:
            twin.load_alignment(
                {**twin.state_dict(), **{k: torch.tensor(v) for k, v in START.items()}}
            )
        detailed = number >= FIRST_DETAILED_STAGE
        kept = [*kept, triples] if detailed else [triples]
        fitted = Triples.joined(kept) if stage.together else triples
        last = number == len(stages) - 1
        fixed = () if last else FINEST_DETAILS if detailed else DETAILS + FINEST_DETAILS
        if last:
            find_ghost(twin, fitted)
        for step in fit_alignment(twin, fitted, stage.blur_px, fixed, stage.prior, around=around):
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
    held_out = measure_probes(session, "squares", 4, HELD_OUT_FRAMES, 999)
    with torch.no_grad():
        modelled = torch.cat(
            [twin(held_out.inputs[i : i + 1], held_out.phases[i]) for i in range(HELD_OUT_FRAMES)]
        )
    centred = [x - x.mean((1, 2), keepdim=True) for x in (held_out.intensity, modelled)]
    d = 1.0 - float(
        ((centred[0] * centred[1]).sum() / (centred[0].norm() * centred[1].norm())).item()
    )
    if d > LARGEST_DISCREPANCY:
        raise CalibrationError(
            f"alignment: the aligned twin misses held-out probes by D = {d:.3f} (allowed "
            f"{LARGEST_DISCREPANCY}). Check z_gap_mm, waist_mm and patch_lefts in the bench file, and "
            "that nothing clips the beam."
        )
    # The scale between camera and twin: one number, least squares.
    unit = float((held_out.intensity * modelled).sum() / modelled.square().sum())
    session.bench.counts_per_ms_per_unit *= unit
    yield AlignmentStep(done, total, d, twin.alignment(), f"held-out probes, D {d:.4f}")
    yield Calibrated("alignment", _found(twin, fit, d))
    yield Calibrated("registration", _correct_registration(session))
    return d


def _found(twin: DigitalTwin, fit: FitStep, held_out_d: float) -> AlignmentFound:
    """All parameters with their deviations; the verdict names those that the frames do not tell."""
    names = [
        name if parameter.numel() == 1 else f"{name}[{index}]"
        for name, parameter in twin.named_parameters()
        for index in range(parameter.numel())
    ]
    value, sigma, told = (
        t.double().numpy() for t in (parameter_vector(twin), fit.deviation, fit.told)
    )
    reason = f"held-out D {held_out_d:.4f}"
    found = AlignmentFound(tuple(names), value, sigma, told, held_out_d, Verdict("pass", reason))
    if not found.untold:
        return found
    fitted = int((sigma > 0.0).sum())
    reason += (
        f"; of {fitted} parameters the frames do not tell {len(found.untold)} from others: "
        f"{', '.join(found.untold)}"
    )
    return dataclasses.replace(found, verdict=Verdict("pass", reason))


def measure_probes(
    session: Session, kind: ProbeKind, strength: float, frames: int, seed: int
) -> Triples:
    """Random patterns on every plane and the bench's answers. Nothing is pre-compensated."""
    shape = session.config.cavity.patch_shape
    planes = session.config.layers + 1
    count = frames * planes
    match kind:
        case "smooth":
            patterns = smooth_phases(count, shape, strength, seed)
        case "squares":
            patterns = square_phases(count, shape, int(strength), seed)
        case "blocks":
            patterns = block_phases(count, shape, int(strength), seed)
    patterns = patterns.view(frames, planes, *shape)
    patterns = session.shown(patterns)
    inputs = _as_inputs(session, patterns[:, 0])
    answers = [session.measure(inputs[i : i + 1], patterns[i, 1:]) for i in range(frames)]
    return Triples(inputs, patterns[:, 1:], torch.cat(answers))


def _as_inputs(session: Session, patterns: Tensor) -> Tensor:
    if session.config.input.kind == "slm_patch":
        return patterns
    return 0.6 + 0.4 * patterns.cos()


def _correct_registration(session: Session) -> Registration:
    """Move what the twin learnt about the registration to where it belongs.

    The camera saw at A p + b what the twin has at q = c + (1 + S)(p - c) + s; so q lies at
    A (c + (1 + S)^-1 (q - c - s)) + b. The twin's shear and shift are then zero.
    """
    bench, twin = session.bench, session.twin
    assert bench.registration is not None
    old = bench.registration
    shape = session.config.cavity.patch_shape
    centre = (np.array(shape) - 1) / 2
    # The twin counts (x, y), the registration (row, column).
    shear = twin.output_shear_percent.detach().numpy()[::-1, ::-1] / 100.0
    shift = twin.output_shift_px.detach().numpy()[::-1]
    undo = np.linalg.inv(np.eye(2) + shear)
    matrix = old.matrix @ undo
    offset = old.offset + old.matrix @ (centre - undo @ (centre + shift))
    bench.registration = Registration(matrix, offset, old.residual_px, old.held_out_px, old.verdict)
    bench.rectifier = Rectifier(bench.registration, bench.camera.roi, shape)
    values = twin.state_dict()
    values["output_shear_percent"] = torch.zeros(2, 2)
    values["output_shift_px"] = torch.zeros(2)
    twin.load_alignment(values)
    return bench.registration
