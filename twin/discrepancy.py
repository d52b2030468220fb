"""How far the twin is from the bench."""

from __future__ import annotations

from torch import Tensor


def discrepancy(measured: Tensor, modelled: Tensor) -> Tensor:
    """Return D = 1 - C, (B,), C the normalised cross-correlation of each pair of images (B, h, w).

    The paper, section 4.3. 0 for equal images up to scale and offset, 1 for unrelated ones.
    """
    first = measured.flatten(1) - measured.flatten(1).mean(1, keepdim=True)
    second = modelled.flatten(1) - modelled.flatten(1).mean(1, keepdim=True)
    norms = first.norm(dim=1) * second.norm(dim=1)
    result: Tensor = 1.0 - (first * second).sum(1) / norms.clamp_min(1e-12)
    return result
