"""Where on the patches a twin is wrong in all frames alike: dead columns, dust, a map of the phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin

Array = npt.NDArray[np.float64]
SURE = 6.5
"""Deviations by which the mean of a pixel's pull has to differ from nothing."""
LEAST_PIXELS = 4
GRAIN_PX, AROUND_PX = 3, 15
"""Sides of what is looked at together, and of what is compared with it; odd."""


@dataclass(frozen=True, slots=True)
class PatchResidual:
    """sure (P, h, w): pull on each pixel over its deviation, the largest of amplitude and phase."""

    sure: Array

    @property
    def places(self) -> npt.NDArray[np.bool_]:
        """Return where (P, h, w) pixels are wrong."""
        wrong: npt.NDArray[np.bool_] = self.sure > SURE
        return wrong

    @property
    def any(self) -> bool:
        """Return whether as many pixels are wrong as a grain of dust covers."""
        return bool(self.places.sum() >= LEAST_PIXELS)

    @property
    def surest(self) -> tuple[int, int, int]:
        """Return patch, row and column of the pixel that is most surely wrong."""
        patch, row, column = np.unravel_index(int(self.sure.argmax()), self.sure.shape)
        return int(patch), int(row), int(column)

    def __str__(self) -> str:
        """Return in words which patch it is; the figure shows where on it."""
        return f"places on the patches, most of all on patch {1 + self.surest[0]}"


def patch_residual(twin: DigitalTwin, frames: Triples) -> PatchResidual:
    """Return where patches are wrong, by how the misfit of each frame pulls on their pixels.

    One backward pass: the gradient with respect to amplitude, phase and stroke of every pixel. Where the
    model is right it differs in sign from frame to frame.

    Args:
        twin: as it was fitted.
        frames: with patterns that differ everywhere.
    """
    with torch.no_grad():
        first, layers = twin.modulation(frames.inputs, frames.phases)
    first, layers = (each.clone().requires_grad_(True) for each in (first, layers))
    modelled = twin.intensity(first, layers)
    valid = frames.valid_pixels
    model, seen = modelled * valid, frames.intensity * valid
    scale = ((seen * model).sum((1, 2)) / model.square().sum((1, 2)).clamp_min(1e-24)).detach()
    misfit = (scale[:, None, None] * model - seen).square().sum()
    of_first, of_layers = torch.autograd.grad(misfit, (first, layers))
    fields = torch.cat([first[:, None], layers], dim=1).detach()
    pulls = torch.cat([of_first[:, None], of_layers], dim=1).conj() * fields
    written = torch.cat([frames.inputs[:, None], frames.phases], dim=1)
    kinds = (pulls.real, -pulls.imag, -pulls.imag * written)
    sure = torch.stack([_sureness(kind) for kind in kinds]).amax(dim=0)
    return PatchResidual(sure.double().numpy())


def _sureness(pulls: Tensor) -> Tensor:
    """Return the mean of pulls (F, P, h, w) over its standard deviation, without a sign.

    Of a grain's neighbourhood, of a column's and of a row's: the surest of the three. What is alike over
    larger parts of a patch is a smooth error of the beam or of the backplane, and is taken off.
    """
    frames, patches, height, width = pulls.shape
    images = pulls.reshape(frames * patches, 1, height, width)
    grains = _means(images, (GRAIN_PX, GRAIN_PX)) - _means(images, (AROUND_PX, AROUND_PX))
    columns = images.mean(dim=2, keepdim=True)
    columns = columns - _means(columns, (1, AROUND_PX))
    rows = images.mean(dim=3, keepdim=True)
    rows = rows - _means(rows, (AROUND_PX, 1))
    found = [
        _t(each.reshape(frames, patches, *each.shape[-2:])).expand(patches, height, width)
        for each in (grains, columns, rows)
    ]
    return torch.stack(found).amax(dim=0)


def _means(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the means of images (K, 1, h, w) over rectangles (odd sides) around each pixel."""
    padding = size[0] // 2, size[1] // 2
    return torch.nn.functional.avg_pool2d(images, size, 1, padding, count_include_pad=False)


def _t(values: Tensor) -> Tensor:
    """Return the mean of values (F, ...) over its standard deviation, without a sign."""
    spread = values.std(dim=0) / len(values) ** 0.5
    result: Tensor = (values.mean(dim=0) / spread.clamp_min(1e-20)).abs()
    return result
