"""Tone curves: monotone tables from grey level to grey level, both in -1 ... 1."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LEVELS = 257
"""Number of entries of a tone curve: grey levels from black, -1, to white, 1, at equal distances."""


def straight_levels() -> Tensor:
    """Return the tone curve (LEVELS,) that changes nothing."""
    return torch.linspace(-1.0, 1.0, LEVELS)


def toned(images: Tensor, levels: Tensor) -> Tensor:
    """Return images with every pixel looked up in a tone curve, linear between its entries.

    Args:
        images: any shape, in -1 ... 1; what is beyond is clamped.
        levels: the tone curve, (LEVELS,).
    """
    place = (images.clamp(-1.0, 1.0) + 1.0) * (0.5 * (LEVELS - 1))
    below = place.floor().long().clamp(max=LEVELS - 2)
    share = place - below
    return torch.lerp(levels[below], levels[below + 1], share)


def matching_levels(images: Tensor, real: Tensor) -> Tensor:
    """Return the tone curve (LEVELS,) that gives images the distribution of grey levels of real ones.

    Histogram matching (Gonzalez & Woods, Digital Image Processing, section 3.3): the level of quantile q
    becomes the real images' level of quantile q. Levels that many pixels share, as black, stay one level:
    their middle quantile counts.

    Args:
        images: in -1 ... 1, any shape.
        real: real images in -1 ... 1, any shape.
    """
    mine, theirs = np.sort(images.numpy().ravel()), np.sort(real.numpy().ravel())
    levels = straight_levels().numpy()
    below, upto = (np.searchsorted(mine, levels, side) for side in ("left", "right"))
    quantile = (below + upto) / (2.0 * len(mine))
    found = np.interp(quantile * (len(theirs) - 1), np.arange(len(theirs)), theirs)
    return torch.from_numpy(np.maximum.accumulate(found).astype(np.float32))
