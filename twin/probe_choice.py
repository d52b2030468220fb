"""Which probe patterns tell most of what is still unknown of a twin."""

from __future__ import annotations

import torch
from torch import Tensor

from twin.alignment_fit import frame_curvatures
from twin.digital_twin import DigitalTwin


def most_telling(
    twin: DigitalTwin,
    patterns: tuple[Tensor, Tensor],
    covariance: Tensor,
    variance: float,
    count: int,
) -> list[int]:
    """Return the numbers of the patterns that together tell most, the best first (D-optimal design).

    Each next one is that which makes the determinant of the parameters' covariance smallest, with those
    before it taken as measured: so a pattern that repeats what another tells is not chosen. The Fisher
    information of a frame is J^T J over the variance of its pixels (Fedorov, Theory of Optimal
    Experiments, 1972).

    Args:
        twin: as far as it is known.
        patterns: inputs (C, h, w) and layers (C, N, h, w) of the candidates.
        covariance: (P, P) float64, what is unknown of the twin's parameters; 0 for what is fixed.
        variance: of a pixel of a normalised frame, by noise and by what the twin misses.
        count: how many are chosen.
    """
    free = (covariance.diagonal() > 0.0).nonzero()[:, 0]
    among = free[:, None], free[None, :]
    told = frame_curvatures(twin, *patterns)[:, among[0], among[1]] / max(variance, 1e-14)
    known = torch.linalg.inv(covariance[among])
    chosen: list[int] = []
    for _ in range(min(count, len(told))):
        gains = torch.linalg.slogdet(known + told).logabsdet
        gains[chosen] = -torch.inf
        chosen.append(int(gains.argmax()))
        known = known + told[chosen[-1]]
    return chosen
