"""Probe patterns that tell most of what is still open of a twin, among those of the alignment's kinds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from labdiff.calibrations.probe_frames import ProbeKind, probe_patterns
from labdiff.session.calibrated_bench import CalibratedBench
from twin.probe_choice import most_telling


@dataclass(frozen=True, slots=True)
class TellingProbes:
    """inputs (K, h, w) and layers (K, N, h, w), in grey levels; kinds: of each, with its strength."""

    inputs: Tensor
    layers: Tensor
    kinds: tuple[tuple[ProbeKind, float], ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Kinds and strengths of patterns among which is chosen, as many of each, and their random numbers."""

    kinds: tuple[tuple[ProbeKind, float], ...]
    of_a_kind: int
    seed: int


def telling_probes(
    calibrated: CalibratedBench,
    candidates: Candidates,
    covariance: Tensor,
    discrepancy: float,
    count: int,
) -> TellingProbes:
    """Return probes that together tell most.

    Args:
        calibrated: the bench and its twin.
        candidates: among which is chosen.
        covariance: (P, P) float64, what is unknown of the twin's parameters.
        discrepancy: mean D between twin and bench, with which probes will be missed too.
        count: how many.
    """
    kinds, of_a_kind = candidates.kinds, candidates.of_a_kind
    first = candidates.seed * len(kinds)
    parts = [
        probe_patterns(calibrated, kind, strength, of_a_kind, first + number)
        for number, (kind, strength) in enumerate(kinds)
    ]
    inputs, layers = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    variance = 2.0 * discrepancy / inputs[0].numel()
    chosen = most_telling(calibrated.twin, (inputs, layers), covariance, variance, count)
    of_chosen = tuple(kinds[number // of_a_kind] for number in chosen)
    return TellingProbes(inputs[chosen], layers[chosen], of_chosen)
