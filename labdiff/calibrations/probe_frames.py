"""Frames of probe patterns on an open bench, and how well the twin predicts them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from labdiff.session.calibrated_bench import CalibratedBench
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.discrepancy import centred
from twin.probes import block_phases, smooth_phases, square_phases

ProbeKind = Literal["smooth", "squares", "blocks"]


def probe_patterns(
    calibrated: CalibratedBench, kind: ProbeKind, strength: float, frames: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return random patterns for every plane, in the SLM's grey levels: inputs and layers (B, N, h, w).

    Args:
        calibrated: the bench.
        kind: of the patterns.
        strength: rms phase in rad, squares a pattern, or pixels a block.
        frames: how many.
        seed: of the patterns.
    """
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
    patterns = calibrated.quantised(patterns.view(frames, planes, *shape))
    return _as_inputs(calibrated, patterns[:, 0]), patterns[:, 1:]


def measure_probes(
    calibrated: CalibratedBench, kind: ProbeKind, strength: float, frames: int, seed: int
) -> Triples:
    """Measure random patterns on every plane; nothing is pre-compensated.

    Args:
        calibrated: the bench.
        kind: of the patterns.
        strength: rms phase in rad, squares a pattern, or pixels a block.
        frames: how many.
        seed: of the patterns.
    """
    return measure_patterns(calibrated, *probe_patterns(calibrated, kind, strength, frames, seed))


def measure_patterns(calibrated: CalibratedBench, inputs: Tensor, layers: Tensor) -> Triples:
    """Measure patterns, a frame each; nothing is pre-compensated.

    Args:
        calibrated: the bench.
        inputs: (B, h, w), as displayed.
        layers: (B, N, h, w), as displayed.
    """
    answers = [calibrated.measurement(inputs[i : i + 1], layers[i]) for i in range(len(inputs))]
    intensity = torch.cat([torch.from_numpy(answer.intensity) for answer in answers])
    valid = torch.ones_like(intensity, dtype=torch.bool)
    for frame, answer in zip(valid, answers, strict=True):
        if answer.clipped is not None:
            frame &= torch.from_numpy(~answer.clipped[0])
    return Triples(inputs, layers, intensity, None if bool(valid.all()) else valid)


def predicted(twin: DigitalTwin, frames: Triples) -> Tensor:
    """Return the twin's intensity (B, h, w) of measured patterns, without a gradient."""
    with torch.no_grad():
        return torch.cat(
            [twin(frames.inputs[i : i + 1], frames.phases[i]) for i in range(len(frames.inputs))]
        )


def _as_inputs(calibrated: CalibratedBench, patterns: Tensor) -> Tensor:
    if calibrated.config.input.kind == "slm_patch":
        return patterns
    return 0.6 + 0.4 * patterns.cos()


def compared(twin: DigitalTwin, probes: Triples) -> tuple[float, float]:
    """Return the discrepancy of all probes together, and the scale of intensity: measured over modelled."""
    modelled = predicted(twin, probes)
    seen, model = (centred(images, probes.valid) for images in (probes.intensity, modelled))
    d = 1.0 - float(((seen * model).sum() / (seen.norm() * model.norm())).item())
    if probes.valid is not None:
        modelled = modelled * probes.valid
    return d, float((probes.intensity * modelled).sum() / modelled.square().sum())
