"""Alignment: gap, tilts, beam and registration, found through the twin before training starts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from calibration.alignment_found import AlignmentFound
from calibration.result import CalibrationError, Verdict
from labdiff.calibrations.ray_alignment import start_from, trace_rays
from labdiff.events import AlignmentStep
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import build_twin
from twin.alignment_fit import FitStep, Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.ghost import find_ghost
from twin.parameter_vector import (
    load_parameter_vector,
    parameter_vector,
    start_searches,
    unresolved_sigma,
    value_names,
)
from twin.parameters import FitPhase, free_in
from twin.probes import block_phases, smooth_phases, square_phases

Array = npt.NDArray[np.float64]
ProbeKind = Literal["smooth", "squares", "blocks"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Probes of one kind and strength (rms rad, squares, or pixels a block), and how they are fitted.

    phase: of the alignment; it says which parameters are free. blur_px: of each iteration, coarse to
    fine; none if the frames are for a later stage. together: fitted with the frames of the stages before
    in which the details were free. prior: its weight, as `twin.alignment_fit.fit_alignment` has it.
    """

    phase: FitPhase
    kind: ProbeKind
    strength: float
    frames: int
    blur_px: tuple[float, ...]
    together: bool = False
    prior: float = 1e-2


STAGES = (
    Stage("coarse", "smooth", 0.7, 8, (8.0, 8.0, 6.0, 6.0, 5.0, 4.0)),
    Stage("coarse", "smooth", 1.5, 10, (4.0, 3.0, 3.0, 2.0)),
    Stage("detailed", "smooth", 2.5, 10, (2.0, 1.0, 0.0)),
    Stage("detailed", "squares", 4, 10, ()),
    Stage("finest", "blocks", 8, 10, (0.0, 0.0), together=True, prior=1e-4),
)
"""Weak phases and blurred images first; sharp squares and turns of 2 pi, as layers have them, last."""
NEAR_BLUR_PX = (5.0, 4.0)
"""Of the first stage where rays have told the angles to a tenth of a milliradian."""

LARGEST_DISCREPANCY = 0.03
HELD_OUT_FRAMES = 4
HELD_OUT: tuple[ProbeKind, float] = ("squares", 4)


def measure_alignment(calibrated: CalibratedBench) -> Job[AlignmentFound]:
    """Fit the twin to probe patterns, and correct the registration by what it found.

    The search starts from the data sheet. The twin is left as it was: `use_alignment` brings it up to
    date. The verdict is "fail" if the aligned twin does not predict patterns that were not fitted.
    """
    twin = calibrated.twin
    before = parameter_vector(twin)
    twin.load_alignment(build_twin(calibrated.config).state_dict())
    rays = yield from trace_rays(calibrated)
    start_from(calibrated, rays)
    around = parameter_vector(twin)
    stages = (
        (dataclasses.replace(STAGES[0], blur_px=NEAR_BLUR_PX), *STAGES[1:])
        if rays.found
        else STAGES
    )
    total = sum(len(stage.blur_px) for stage in stages) + 1
    done = 0
    kept: list[Triples] = []
    phase: FitPhase = "coarse"
    for number, stage in enumerate(stages):
        triples = measure_probes(calibrated, stage.kind, stage.strength, stage.frames, 100 + number)
        detailed = stage.phase != "coarse"
        if stage.phase != phase:
            phase = stage.phase
            start_searches(twin, phase)
        kept = [*kept, triples] if detailed else [triples]
        fitted = Triples.joined(kept) if stage.together else triples
        finest = stage.phase == "finest"
        if finest:
            find_ghost(twin, fitted)
        for step in fit_alignment(
            twin,
            fitted,
            stage.blur_px,
            free_in(stage.phase),
            stage.prior,
            around=around,
            chord=finest,
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
        _found(calibrated, fit, d, unit),
        probe_measured=held_out.intensity[0].numpy(),
        probe_before=by_data_sheet.numpy(),
        probe_after=after.numpy(),
    )
    load_parameter_vector(twin, before)
    return found


def compared(twin: DigitalTwin, probes: Triples) -> tuple[float, float]:
    """Discrepancy of all probes together, and the light's scale: measured over modelled."""
    with torch.no_grad():
        modelled = torch.cat(
            [twin(probes.inputs[i : i + 1], probes.phases[i]) for i in range(len(probes.inputs))]
        )
    centred = [x - x.mean((1, 2), keepdim=True) for x in (probes.intensity, modelled)]
    d = 1.0 - float(
        ((centred[0] * centred[1]).sum() / (centred[0].norm() * centred[1].norm())).item()
    )
    return d, float((probes.intensity * modelled).sum() / modelled.square().sum())


def use_alignment(calibrated: CalibratedBench, found: AlignmentFound) -> None:
    """Twin, registration and unit of light as the alignment found them; tilts onto the SLM.

    Raises CalibrationError if the alignment is of a twin with other parameters.
    """
    twin, bench = calibrated.twin, calibrated.bench
    if found.names != value_names(twin):
        raise CalibrationError(
            "alignment: stored by a version whose twin has other parameters; run "
            "labdiff calibrate --only alignment"
        )
    assert bench.registration is not None
    load_parameter_vector(twin, torch.from_numpy(found.value).float())
    bench.use_registration(
        dataclasses.replace(
            bench.registration,
            matrix=found.registration_matrix,
            offset=found.registration_offset,
        )
    )
    bench.counts_per_ms_per_unit = found.counts_per_ms_per_unit
    covariance = found.covariance if found.covariance.size else np.diag(found.sigma**2)
    calibrated.covariance = torch.from_numpy(covariance)
    calibrated.precompensate()


def _found(
    calibrated: CalibratedBench, fit: FitStep, held_out_d: float, unit: float
) -> AlignmentFound:
    """All parameters with their deviations; the verdict names those that the frames do not tell.

    The twin's shift and shear of the output plane go to the registration, where they belong.
    """
    twin, bench = calibrated.twin, calibrated.bench
    matrix, offset = corrected_registration(calibrated)
    values = twin.state_dict()
    values["output_shear_percent"] = torch.zeros(2, 2)
    values["output_shift_px"] = torch.zeros(2)
    twin.load_alignment(values)
    names = value_names(twin)
    value, told = (t.double().numpy() for t in (parameter_vector(twin), fit.told))
    covariance = _with_unresolved(twin, fit.covariance.double().numpy())
    sigma = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    found = AlignmentFound(
        names=names,
        value=value,
        sigma=sigma,
        told=told,
        tilt_mrad=1e3 * twin.planes_tilt_rad().double().numpy(),
        tilt_sigma_mrad=_tilt_sigma_mrad(
            names, fit.covariance.double().numpy(), calibrated.config.layers
        ),
        registration_matrix=matrix,
        registration_offset=offset,
        counts_per_ms_per_unit=bench.counts_per_ms_per_unit * unit,
        held_out_d=held_out_d,
        verdict=Verdict("pass", f"held-out D {held_out_d:.4f}"),
        covariance=covariance,
    )
    return dataclasses.replace(found, verdict=_verdict(found))


def _with_unresolved(twin: DigitalTwin, covariance: Array) -> Array:
    """Return the fit's covariance (P, P) with what one sample a pixel cannot resolve added."""
    unresolved = torch.diag(unresolved_sigma(twin).double().square()).numpy()
    whole: Array = covariance + unresolved
    return whole


def _tilt_sigma_mrad(names: tuple[str, ...], covariance: Array, layers: int) -> Array:
    """(N + 1, 2): mirror and bounce are told much better together than apart."""
    sigma = np.zeros((layers + 1, 2))
    for axis in range(2):
        beam, mirror = (names.index(f"d_alpha_{n}_mrad[{axis}]") for n in ("beam", "mirror"))
        sigma[0, axis] = np.sqrt(covariance[beam, beam])
        for layer in range(layers):
            both = [mirror, names.index(f"bounce_tilt_mrad[{2 * layer + axis}]")]
            sigma[layer + 1, axis] = np.sqrt(max(covariance[np.ix_(both, both)].sum(), 0.0))
    return sigma


def _verdict(found: AlignmentFound) -> Verdict:
    if not found.held_out_d <= LARGEST_DISCREPANCY:
        return Verdict(
            "fail",
            f"the aligned twin misses held-out probes by D = {found.held_out_d:.3f} (allowed "
            f"{LARGEST_DISCREPANCY})",
            "Check z_gap_mm, waist_mm and patch_lefts in the bench file, and that nothing clips the "
            "beam.",
        )
    reason = f"held-out D {found.held_out_d:.4f}"
    if not found.untold:
        return Verdict("pass", reason)
    fitted = int((found.sigma > 0.0).sum())
    return Verdict(
        "pass",
        f"{reason}; of {fitted} parameters the frames do not tell {len(found.untold)} from others: "
        f"{', '.join(found.untold)}",
    )


def measure_probes(
    calibrated: CalibratedBench, kind: ProbeKind, strength: float, frames: int, seed: int
) -> Triples:
    """Random patterns on every plane and the bench's answers. Nothing is pre-compensated."""
    shape = calibrated.config.cavity.patch_shape
    planes = calibrated.config.layers + 1
    count = frames * planes
    match kind:
        case "smooth":
            patterns = smooth_phases(count, shape, strength, seed)
        case "squares":
            patterns = square_phases(count, shape, int(strength), seed)
        case "blocks":
            patterns = block_phases(count, shape, int(strength), seed)
    patterns = patterns.view(frames, planes, *shape)
    patterns = calibrated.quantised(patterns)
    inputs = _as_inputs(calibrated, patterns[:, 0])
    answers = [calibrated.measure(inputs[i : i + 1], patterns[i, 1:]) for i in range(frames)]
    return Triples(inputs, patterns[:, 1:], torch.cat(answers))


def _as_inputs(calibrated: CalibratedBench, patterns: Tensor) -> Tensor:
    if calibrated.config.input.kind == "slm_patch":
        return patterns
    return 0.6 + 0.4 * patterns.cos()


def corrected_registration(calibrated: CalibratedBench) -> tuple[Array, Array]:
    """Matrix and offset of the registration, with what the twin learnt about it.

    The camera saw at A p + b what the twin has at q = c + (1 + S)(p - c) + s; so q lies at
    A (c + (1 + S)^-1 (q - c - s)) + b.
    """
    twin, old = calibrated.twin, calibrated.bench.registration
    assert old is not None
    centre = (np.array(calibrated.config.cavity.patch_shape) - 1) / 2
    # The twin counts (x, y), the registration (row, column).
    shear = twin.output_shear_percent.detach().numpy()[::-1, ::-1] / 100.0
    shift = twin.output_shift_px.detach().numpy()[::-1]
    undo = np.linalg.inv(np.eye(2) + shear)
    matrix: Array = old.matrix @ undo
    return matrix, old.offset + old.matrix @ (centre - undo @ (centre + shift))
