"""The optical denoising unit: the trained phases, and how images go in and noise comes out."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

CLIP = 3.0
"""Noisy images are clipped to -CLIP ... CLIP before they are written: 0.3 % of pure noise."""
SPAN_RAD = 1.6 * math.pi
"""Phase between the darkest and the brightest pixel on an SLM patch.

The wider, the less linear the map from image to light: generated digits that a classifier is sure of, in
trials on one calibrated twin, 0.81, 0.87, 0.89, 0.95 for 1, 1.6, 2.2, 2.8 pi; but the noise MSE has its
least value near 1.6 pi (0.0455, 0.0424 and 0.0511 for 1, 1.6, 2.8 pi)."""
REST_RAD = math.pi
"""Where phases start: half a turn from where they fall from 2 pi to 0, a scattering flank on an SLM."""


class OpticalDenoisingUnit(nn.Module):
    """N layers for each of M timestep ranges, (M, N, h, w) radians: the weights.

    image_shape: (H, W) of an image; a patch of (h, w) must hold a whole number of pixels a cell.
    prediction: "sample" reads the clean image from the light, "epsilon" (the paper) the noise.
    decode_scale (M,), decode_offset (M, H, W): what makes a pixel of the clean image of a cell's mean
    intensity; trained with the phases.
    Raises ValueError if the patch does not divide into the image's cells.
    """

    def __init__(
        self,
        layer_sets: int,
        layers: int,
        shape: tuple[int, int],
        image_shape: tuple[int, int],
        input_kind: Literal["slm_patch", "dmd"] = "slm_patch",
        prediction: Literal["sample", "epsilon"] = "sample",
    ) -> None:
        super().__init__()
        if shape[0] % image_shape[0] or shape[1] % image_shape[1]:
            raise ValueError(
                f"image size {image_shape[0]}x{image_shape[1]} does not divide the patch of "
                f"{shape[0]}x{shape[1]} pixels"
            )
        self.shape, self.image_shape = shape, image_shape
        self.cell = (shape[0] // image_shape[0], shape[1] // image_shape[1])
        self.input_kind, self.prediction = input_kind, prediction
        self.phases = nn.Parameter(torch.full((layer_sets, layers, *shape), REST_RAD))
        self.decode_scale = nn.Parameter(torch.full((layer_sets,), 0.5))
        self.decode_offset = nn.Parameter(torch.full((layer_sets, *image_shape), -1.0))

    def start_from(self, layer_set: int, other: int) -> None:
        """Give a layer set the phases and the decode of another one."""
        with torch.no_grad():
            for values in (self.phases, self.decode_scale, self.decode_offset):
                values[layer_set] = values[other]

    def encode(self, x_t: Tensor) -> Tensor:
        """Input fields (B, h, w) for noisy images (B, H, W): each pixel fills a cell.

        Radians in 0 ... SPAN_RAD for an SLM patch, amplitude in 0 ... 1 for a DMD.
        """
        unit = (x_t.clamp(-CLIP, CLIP) / CLIP + 1.0) / 2.0
        value = unit * SPAN_RAD if self.input_kind == "slm_patch" else unit
        return value.repeat_interleave(self.cell[0], 1).repeat_interleave(self.cell[1], 2)

    def cells(self, intensity: Tensor) -> Tensor:
        """Mean intensity of each cell, (B, H, W)."""
        (rows, columns), (height, width) = self.image_shape, self.cell
        return intensity.reshape(-1, rows, height, columns, width).mean((2, 4))

    def clean(self, intensity: Tensor, layer_set: int) -> Tensor:
        """The clean image (B, H, W) read from the light, "sample" prediction."""
        scale, offset = self.decode_scale[layer_set], self.decode_offset[layer_set]
        return scale * self.cells(intensity) + offset

    def match(self, measured: Tensor, modelled: Tensor, layer_set: int) -> None:
        """Move the offsets until the bench's mean prediction is the twin's, cell by cell.

        measured, modelled (B, h, w): light of the same inputs. A fixed pattern of the bench that the
        twin does not know would otherwise add up over the steps of a reverse process, while its share of
        the loss is too small for training to see.
        """
        with torch.no_grad():
            missing = (self.cells(modelled) - self.cells(measured)).mean(0)
            self.decode_offset[layer_set] += self.decode_scale[layer_set] * missing

    def decode(self, intensity: Tensor, x_t: Tensor, abar: Tensor, layer_set: int) -> Tensor:
        """Predicted noise (B, H, W) from intensity (B, h, w), x_t (B, H, W) and abar_t (B,).

        "sample": (x_t - sqrt(abar) x0) / sqrt(1 - abar), x0 within the range of images -1 ... 1.
        "epsilon": the cells' intensity, standardised image by image (the paper, section 3.2).
        """
        if self.prediction == "epsilon":
            cells = self.cells(intensity)
            mean = cells.mean((1, 2), keepdim=True)
            return (cells - mean) / cells.std((1, 2), keepdim=True).clamp_min(1e-6)
        abar = abar.view(-1, 1, 1)
        clean = self.clean(intensity, layer_set).clamp(-1.0, 1.0)
        return (x_t - abar.sqrt() * clean) / (1.0 - abar).sqrt()

    def loss(self, intensity: Tensor, clean: Tensor, noise: Tensor, layer_set: int) -> Tensor:
        """What training lessens: the error of the clean image, or of the noise.

        For "sample" the error of the clean image, unweighted: in trials it gave a lower noise MSE
        than the noise MSE itself, whose weight abar / (1 - abar) lies on the least t alone.
        """
        if self.prediction == "epsilon":
            unused = torch.zeros(len(noise))
            return (self.decode(intensity, noise, unused, layer_set) - noise).square().mean()
        return (self.clean(intensity, layer_set) - clean).square().mean()
