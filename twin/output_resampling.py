"""Where the camera's pixels, as registered, really lie on the output plane."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def resample(
    intensity: Tensor,
    shape: tuple[int, int],
    shear: Tensor,
    shift_px: Tensor,
    distortion: Tensor,
) -> Tensor:
    """Return the intensity (B, h, w) at p + (shear + distortion r^2) (p - centre) + shift.

    r is 1 at the patch's corner. Bicubic; light goes on
    for one pixel beyond the plane's edge and is 0 from there on.

    Args:
        intensity: samples of the field's intensity, (B, S h, S w).
        shape: (h, w).
        shear: (2, 2), acts on (x, y).
        shift_px: (2,), acts on (x, y).
        distortion: radial.
    """
    height, width = shape
    kind, place = intensity.dtype, intensity.device
    # From the middle, in units of half a patch: what grid_sample counts in.
    y = (2.0 * torch.arange(height, dtype=kind, device=place) + 1.0) / height - 1.0
    x = (2.0 * torch.arange(width, dtype=kind, device=place) + 1.0) / width - 1.0
    half = torch.stack([y.new_full((), width / 2), y.new_full((), height / 2)])
    at = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1) * half
    radius = at.square().sum(-1, keepdim=True) / half.square().sum()
    moved = at + at @ shear.T.to(kind) + distortion * radius * at + shift_px
    grid = (moved / (half + 1.0)).to(kind).expand(len(intensity), height, width, 2)
    samples = intensity.shape[-1] // width
    wider = functional.pad(intensity[:, None], 4 * (samples,), mode="replicate")
    return functional.grid_sample(
        wider, grid, mode="bicubic", padding_mode="zeros", align_corners=False
    )[:, 0]
