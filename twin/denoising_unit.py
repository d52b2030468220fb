"""The optical denoising unit: the trained phases, and how images go in and noise comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from twin.detection import Detection, detected
from twin.gaussian_cells import softened
from twin.input_layout import InputLayout, Writing
from twin.tone_curve import straight_levels, toned

CLIP = 3.0
"""Noisy images are clipped to -CLIP ... CLIP before they are written: 0.3 % of pure noise."""
SPAN_RAD = 1.6 * math.pi
"""Phase between the darkest and the brightest pixel on an SLM patch, before training.

The wider, the less linear the map from image to light: generated digits that a classifier is sure of, in
trials on one calibrated twin, 0.81, 0.87, 0.89, 0.95 for 1, 1.6, 2.2, 2.8 pi; but the noise MSE has its
least value near 1.6 pi (0.0455, 0.0424 and 0.0511 for 1, 1.6, 2.8 pi)."""
REST_RAD = math.pi
"""Where phases start: half a turn from where they fall from 2 pi to 0, a scattering flank on an SLM."""
DATA_GAIN = 0.75
"""Where the gains of data layers start: the image then spans 1.5 pi on each of them."""
SOFT_PX = 1.0
"""Rms width at which soft cells start, in pixels of an image."""
LEAK = 0.01
"""Share of the gradient that passes where a prediction is already darker than black."""

Prediction = Literal["sample", "epsilon", "preconditioned"]


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """What a unit knows of its training images, pixels in -1 ... 1.

    Attributes:
        mean: of all pixels.
        deviation: standard deviation of the pixels of what the unit denoises: of the images, or of what is
            left of them after the mean of their cluster.
        cluster_means: (K, H, W), mean image of each cluster; None if all images are denoised alike.
        cluster_weights: (K,), share of the images in each cluster.
    """

    mean: float = 0.0
    deviation: float = 0.5
    cluster_means: Tensor | None = None
    cluster_weights: Tensor | None = None


@dataclass(frozen=True, slots=True)
class UnitDesign:
    """How a unit encodes images, what its layers carry, and how it decodes.

    Attributes:
        input_kind: the input modulator.
        prediction: what is read from the light F, a number for each pixel of an image:
            "sample"            the clean image, F
            "preconditioned"    the clean image, c_skip x_t / sqrt(abar) + c_out F: the less noise there
                                is, the less the light has to say. The coefficients start as those of
                                Karras 2022, which are the best for independent pixels; c_skip is learnt
            "epsilon"           the noise, F standardised image by image (the paper, section 3.2)
        data_layers: every layer carries the noisy image too, theta_l + g_l pi x (structural nonlinearity,
            Yildirim et al., Nature Photonics 2024): a polynomial of the image at no cost in time, but it
            needs an SLM update for each image.
        detection: as `twin.detection` has it.
        writing: as `twin.input_layout` has it.
        soft_cells: a pixel is displayed as a Gaussian spot over the cells around its own, and read from
            one.
        prompts: classes that can be asked for, by a strip beside the image: `twin.input_layout`.
        tone_curve: whether generated images pass through a table of grey levels: `twin.tone_curve`.
    """

    input_kind: Literal["slm_patch", "dmd"]
    prediction: Prediction
    data_layers: bool
    detection: Detection
    writing: Writing
    soft_cells: bool
    prompts: int
    tone_curve: bool = False


PLAIN_DESIGN = UnitDesign("slm_patch", "sample", False, "cells", "cells", False, 0)
"""A design with nothing beside cells and passive layers."""


class OpticalDenoisingUnit(nn.Module):
    """N layers for each layer set, (M, N, h, w) radians: the weights.

    A layer set belongs to a range of timesteps. Where images fall into clusters it belongs to a cluster
    too, cluster by cluster, and what it denoises is the image less the cluster's mean: `residual`.

    image_shape: (H, W) of an image; a patch of (h, w) must hold a whole number of pixels a cell.
    encode_scale (M,): the input's span over SPAN_RAD. data_gain (M, N): g_l. decode_scale (M,),
    decode_offset (M, H, W): what makes F of what is detected. spot_px, region_px (M,): rms widths of what
    a soft cell is written as and read from, in pixels of an image. skip_variance_log (M,): of the images'
    variance in c_skip, over all of it. All are trained with the phases.
    Raises ValueError if the patch does not divide into the image's cells, or has no room for prompts.
    """

    image_mean: Tensor
    image_deviation: Tensor
    cluster_means: Tensor
    cluster_weights: Tensor
    tone_levels: Tensor

    def __init__(
        self,
        layer_sets: int,
        layers: int,
        shape: tuple[int, int],
        image_shape: tuple[int, int],
        design: UnitDesign = PLAIN_DESIGN,
        statistics: ImageStatistics | None = None,
    ) -> None:
        super().__init__()
        self.design = design
        self.layout = InputLayout(shape, image_shape, design.prompts, design.writing)
        self.shape, self.image_shape, self.cell = shape, image_shape, self.layout.cell
        cells = design.detection == "cells"
        if not cells and self.cell[1] < 2:
            raise ValueError(
                f"differential detection needs cells of two pixels' width; a patch of "
                f"{shape[1]} pixels has {self.cell[1]} for each of {image_shape[1]}"
            )
        self.phases = nn.Parameter(torch.full((layer_sets, layers, *shape), REST_RAD))
        self.encode_scale = nn.Parameter(torch.ones(layer_sets))
        self.data_gain = nn.Parameter(torch.full((layer_sets, layers), DATA_GAIN))
        self.decode_scale = nn.Parameter(torch.full((layer_sets,), 0.5))
        # Where F starts for a cell of mean intensity 1: a black sample, no correction, no difference.
        found = statistics or ImageStatistics()
        clustered = found.cluster_means is not None
        start = -1.0 if design.prediction == "sample" and not clustered else -0.5
        offset = torch.full((layer_sets, *image_shape), start if cells else 0.0)
        self.decode_offset = nn.Parameter(offset)
        self.spot_px = nn.Parameter(torch.full((layer_sets,), SOFT_PX))
        self.region_px = nn.Parameter(torch.full((layer_sets,), SOFT_PX))
        self.skip_variance_log = nn.Parameter(torch.zeros(layer_sets))
        self.register_buffer("image_mean", torch.tensor(found.mean))
        self.register_buffer("image_deviation", torch.tensor(found.deviation))
        if design.tone_curve:
            self.register_buffer("tone_levels", straight_levels())
        self.clusters = 1
        if found.cluster_means is not None and found.cluster_weights is not None:
            self.clusters = len(found.cluster_means)
            # Only where there are clusters: units of files without them have no such buffers.
            self.register_buffer("cluster_means", found.cluster_means.clone())
            self.register_buffer("cluster_weights", found.cluster_weights.clone())

    @property
    def codec_parameters(self) -> list[nn.Parameter]:
        """All that is trained but the phases: what encodes and decodes."""
        return [values for values in self.parameters() if values is not self.phases]

    def set_tone_curve(self, levels: Tensor) -> None:
        """Replace the tone curve by (LEVELS,) grey levels. The design has to have one."""
        self.tone_levels.copy_(levels)

    def reset_tone_curve(self) -> None:
        """Make the tone curve one that changes nothing."""
        self.tone_levels.copy_(straight_levels())

    def finished(self, images: Tensor) -> Tensor:
        """Return generated images after the tone curve, if the design has one."""
        return toned(images, self.tone_levels) if self.design.tone_curve else images

    def residual(self, x_t: Tensor, abar: Tensor, cluster: int) -> Tensor:
        """Return noisy images less the mean image of their cluster, which is what is encoded.

        The noise in them is the same. Without clusters they are the images themselves.

        Args:
            x_t: noisy images, (B, H, W).
            abar: of their timesteps, (B,).
            cluster: to which they belong.
        """
        if self.clusters == 1:
            return x_t
        return x_t - abar.sqrt().view(-1, 1, 1) * self.cluster_means[cluster]

    def limits(self, layer_set: int) -> tuple[Tensor, Tensor]:
        """Return the least and greatest values that a clean image can have, (H, W) or numbers.

        Black and white are -1 and 1, less the mean of the layer set's cluster.
        """
        white = torch.ones_like(self.image_mean)
        if self.clusters == 1:
            return -white, white
        mean = self.cluster_means[layer_set // (len(self.phases) // self.clusters)]
        return -1.0 - mean, 1.0 - mean

    def start_from(self, layer_set: int, other: int) -> None:
        """Give a layer set the weights of another one."""
        with torch.no_grad():
            for values in self.parameters():
                values[layer_set] = values[other]

    def encode(
        self,
        x_t: Tensor,
        layer_set: int,
        phases: Tensor | None = None,
        prompts: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Encode noisy images: return inputs and layers as the modulators are to display them.

        inputs (B, h, w): radians for an SLM patch, amplitude in 0 ... 1 for a DMD; each pixel of an image
        has a cell. layers: (N, h, w) radians, or (B, N, h, w) if they carry the image; those carry the
        prompts' strip too.

        Args:
            x_t: the images, (B, H, W).
            layer_set: whose weights encode them.
            phases: (N, h, w); the layer set's own if None.
            prompts: (B,), which block of the strip is bright, NO_PROMPT for none, as for all if None.
        """
        image = (x_t / CLIP).clamp(-1.0, 1.0)
        if self.design.soft_cells:
            image = softened(image, self.spot_px[layer_set])
        field = self.layout.field(image, prompts)
        scale = self.encode_scale[layer_set]
        phases = self.phases[layer_set] if phases is None else phases
        if self.design.input_kind == "slm_patch":
            inputs = 0.5 * SPAN_RAD * (1.0 + scale * field)
        else:
            inputs = (0.5 * (1.0 + scale * field)).clamp(0.0, 1.0)
        if not self.design.data_layers:
            return inputs, phases
        gain = math.pi * self.data_gain[layer_set]
        return inputs, phases + gain[:, None, None] * field[:, None]

    def detected(self, intensity: Tensor, layer_set: int) -> Tensor:
        """Return a number for each pixel of an image, (B, H, W), from intensity (B, h, w)."""
        # Light beside the image's cells is not read.
        beside = self.layout.image_width
        found = detected(intensity[..., :beside], self.image_shape, self.design.detection)
        return softened(found, self.region_px[layer_set]) if self.design.soft_cells else found

    def output(self, intensity: Tensor, layer_set: int) -> Tensor:
        """Return F (B, H, W): the bench's output in the units of the prediction."""
        scale, offset = self.decode_scale[layer_set], self.decode_offset[layer_set]
        return scale * self.detected(intensity, layer_set) + offset

    def clean(self, intensity: Tensor, x_t: Tensor, abar: Tensor, layer_set: int) -> Tensor:
        """Predict the clean image (B, H, W), before it is clamped.

        Args:
            intensity: on the output plane, (B, h, w).
            x_t: the noisy images, (B, H, W).
            abar: of their timesteps, (B,).
            layer_set: whose weights decode.
        """
        output = self.output(intensity, layer_set)
        if self.design.prediction == "sample":
            return output
        base, weight = self._preconditioned(x_t, abar, layer_set)
        return base + weight * output

    def _preconditioned(self, x_t: Tensor, abar: Tensor, layer_set: int) -> tuple[Tensor, Tensor]:
        """Return c_skip x_t / sqrt(abar) about the images' mean, and c_out (Karras 2022, table 1).

        Of the images' variance only the share that light does not bring belongs into c_skip: the noise in
        the rest is noise that light has to take off again, pixel by pixel.
        """
        abar = abar.view(-1, 1, 1)
        noise, image = (1.0 - abar) / abar, self.image_deviation.square()
        left = image * self.skip_variance_log[layer_set].exp()
        skip = left / (noise + left)
        weight = (noise * image / (noise + image)).sqrt()
        if self.clusters > 1:
            # The mean has been taken off.
            return skip * x_t / abar.sqrt(), weight
        return self.image_mean + skip * (x_t / abar.sqrt() - self.image_mean), weight

    def match(self, measured: Tensor, modelled: Tensor, layer_set: int) -> None:
        """Move the offsets until the bench's mean prediction is the twin's, cell by cell.

        A fixed pattern of the bench that the twin does not know would otherwise add up over the steps of
        a reverse process, while its share of the loss is too small for training to see.

        Args:
            measured: the bench's intensity, (B, h, w).
            modelled: the twin's, of the same inputs.
            layer_set: whose offsets are moved.
        """
        with torch.no_grad():
            twins, benchs = (self.detected(light, layer_set) for light in (modelled, measured))
            missing = (twins - benchs).mean(0)
            self.decode_offset[layer_set] += self.decode_scale[layer_set] * missing

    def decode(self, intensity: Tensor, x_t: Tensor, abar: Tensor, layer_set: int) -> Tensor:
        """Predict the noise, (B, H, W).

        (x_t - sqrt(abar) x0) / sqrt(1 - abar), x0 within the range of images, `limits`; for "epsilon"
        what is detected, standardised.

        Args:
            intensity: on the output plane, (B, h, w).
            x_t: the noisy images, (B, H, W).
            abar: of their timesteps, (B,).
            layer_set: whose weights decode.
        """
        if self.design.prediction == "epsilon":
            found = self.detected(intensity, layer_set)
            mean = found.mean((1, 2), keepdim=True)
            return (found - mean) / found.std((1, 2), keepdim=True).clamp_min(1e-6)
        clean = self.clean(intensity, x_t, abar, layer_set).clamp(*self.limits(layer_set))
        abar = abar.view(-1, 1, 1)
        return (x_t - abar.sqrt() * clean) / (1.0 - abar).sqrt()

    def loss(
        self,
        intensity: Tensor,
        x_t: Tensor,
        abar: Tensor,
        clean: Tensor,
        noise: Tensor,
        layer_set: int,
    ) -> Tensor:
        """Return the loss that training minimises: the error of the clean image, or of the noise.

        The clean image counts as it is used, clamped: real images are exactly black over most of their
        area, which light alone never is. Unweighted: in trials it gave a lower noise MSE than the noise
        MSE itself, whose weight abar / (1 - abar) lies on the least t alone; and for "preconditioned" a
        lower error than in units of c_out (Karras 2022), where the least t, at which there is next to
        nothing to win, count as much as all others.

        Args:
            intensity: on the output plane, (B, h, w).
            x_t: the noisy images, (B, H, W).
            abar: of their timesteps, (B,).
            clean: the images without noise, (B, H, W).
            noise: that was added, (B, H, W).
            layer_set: whose weights decode.
        """
        if self.design.prediction == "epsilon":
            return (self.decode(intensity, x_t, abar, layer_set) - noise).square().mean()
        found = self.clean(intensity, x_t, abar, layer_set)
        clamped = found.clamp(*self.limits(layer_set))
        return (clamped + LEAK * (found - clamped) - clean).square().mean()
