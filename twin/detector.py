"""Where the camera's pixels, as registered, really lie on the output plane."""

from __future__ import annotations

import torch
from torch import Tensor


def resample(intensity: Tensor, shear: Tensor, shift_px: Tensor, distortion: Tensor) -> Tensor:
    """Intensity (B, h, w) read at p + (shear + distortion r^2) (p - centre) + shift; bicubic.

    shear (2, 2) and shift_px (2,) act on (x, y) in pixels; r is 1 at the patch's corner.
    Light from outside the plane is 0.
    """
    height, width = intensity.shape[-2:]
    half = torch.tensor([(width - 1) / 2, (height - 1) / 2], dtype=intensity.dtype)
    matrix = torch.eye(2, dtype=intensity.dtype) + shear
    # grid_sample counts -1 ... 1 from the first pixel's centre to the last one's.
    rescaled = matrix * half[None, :] / half[:, None]
    theta = torch.cat([rescaled, (shift_px / half)[:, None]], 1)
    size = [len(intensity), 1, height, width]
    grid = torch.nn.functional.affine_grid(
        theta.expand(len(intensity), 2, 3), size, align_corners=True
    )
    straight = torch.nn.functional.affine_grid(
        torch.eye(2, 3, dtype=intensity.dtype).expand(1, 2, 3), [1, *size[1:]], align_corners=True
    )
    radius = (straight * half).square().sum(-1, keepdim=True) / half.square().sum()
    grid = grid + distortion * radius * straight
    return torch.nn.functional.grid_sample(
        intensity[:, None], grid, mode="bicubic", padding_mode="zeros", align_corners=True
    )[:, 0]
