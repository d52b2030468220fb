"""Scale and offset of measured frames against the twin: what normalised images cannot show."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class FrameLight:
    """The line through each frame, measured = scale * modelled + offset, by least squares.

    An offset is light that no pattern moves; a scale that differs from frame to frame is a laser whose
    power, or a camera whose gain, is not steady.

    scale, offset (B,): of each frame, in units of intensity. measured, modelled (B,): mean of each frame.
    """

    scale: Tensor
    offset: Tensor
    measured: Tensor
    modelled: Tensor

    @property
    def ratio(self) -> Tensor:
        """Scale of each frame (B,) by its mean, with the offset that all share taken off.

        The mean depends much less on where exactly the light falls than the slope does.
        """
        result: Tensor = (self.measured - self.offset.mean()) / self.modelled.clamp_min(1e-12)
        return result


def frame_light(measured: Tensor, modelled: Tensor, valid: Tensor | None = None) -> FrameLight:
    """Compare the light of measured and modelled frames.

    Args:
        measured: (B, h, w).
        modelled: (B, h, w).
        valid: (B, h, w), pixels that are compared; None: all.
    """
    weight = torch.ones_like(measured) if valid is None else valid
    pixels = [image.detach().flatten(1).double() for image in (measured, modelled, weight)]
    seen, model, weighted = pixels
    count = weighted.sum(1).clamp_min(1.0)
    means = (seen * weighted).sum(1) / count, (model * weighted).sum(1) / count
    centred = (model - means[1][:, None]) * weighted
    scale = (seen * centred).sum(1) / centred.square().sum(1).clamp_min(1e-24)
    return FrameLight(scale, means[0] - scale * means[1], *means)


def share_of_light(modelled: Tensor, valid: Tensor | None) -> float:
    """Return the share of the light of all modelled frames (B, h, w) that falls on pixels not valid."""
    if valid is None:
        return 0.0
    return float((modelled * ~valid).sum() / modelled.sum().clamp_min(1e-12))


def brightness(modelled: Tensor, quantile: float = 0.99) -> Tensor:
    """Return how bright the bright pixels of modelled frames (B, h, w) are, (B,) float64."""
    result: Tensor = torch.quantile(modelled.detach().flatten(1).double(), quantile, dim=1)
    return result
