"""Probe frames of online learning, chosen by what they tell of the twin."""

from __future__ import annotations

from torch import Tensor

from labdiff.calibrations.probe_choice import Candidates, telling_probes
from labdiff.calibrations.probe_frames import ProbeKind
from labdiff.session.calibrated_bench import CalibratedBench

CANDIDATES: tuple[tuple[ProbeKind, float], ...] = (
    ("smooth", 0.7),
    ("smooth", 1.5),
    ("smooth", 2.5),
    ("squares", 4),
    ("blocks", 4),
    ("blocks", 8),
)
"""Kinds and strengths of the patterns among which is chosen, as the alignment has them."""
OF_A_KIND = 2
"""Number of candidates of each kind and strength."""


def choose_probes(
    calibrated: CalibratedBench, covariance: Tensor, discrepancy: float, count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return inputs (K, h, w) and layers (K, N, h, w) of probes, as displayed.

    Args:
        calibrated: the bench and its twin.
        covariance: (P, P) float64, what is unknown of the twin's parameters.
        discrepancy: mean D between twin and bench, with which probes will be missed too.
        count: how many.
        seed: of the candidates' random numbers.
    """
    candidates = Candidates(CANDIDATES, OF_A_KIND, seed)
    chosen = telling_probes(calibrated, candidates, covariance, discrepancy, count)
    return calibrated.displayed(chosen.inputs, chosen.layers)
