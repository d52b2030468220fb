"""How far the twin is from the bench."""

from __future__ import annotations

from torch import Tensor


def centred(images: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return images (B, h, w) without the mean of their valid pixels (B, h, w); 0 at all others."""
    if valid is None:
        return images - images.mean((1, 2), keepdim=True)
    weight = valid.to(images.dtype)
    mean = (images * weight).sum((1, 2), keepdim=True) / weight.sum((1, 2), keepdim=True).clamp_min(
        1.0
    )
    result: Tensor = (images - mean) * weight
    return result


def discrepancy(measured: Tensor, modelled: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return D = 1 - C, (B,), C the normalised cross-correlation of each pair of images (B, h, w).

    The paper, section 4.3. 0 for equal images up to scale and offset, 1 for unrelated ones.

    Args:
        measured: (B, h, w).
        modelled: (B, h, w).
        valid: (B, h, w), pixels that are compared, as those that are not saturated; None: all.
    """
    first, second = (centred(images, valid).flatten(1) for images in (measured, modelled))
    norms = first.norm(dim=1) * second.norm(dim=1)
    result: Tensor = 1.0 - (first * second).sum(1) / norms.clamp_min(1e-12)
    return result
