"""Which patches of a calibrated bench a hologram shapes, and how they are displayed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from labdiff.holograms.target import Plane
from labdiff.session.calibrated_bench import CalibratedBench
from twin.denoising_unit import REST_RAD

Fields = tuple[Tensor, Tensor]
"""Inputs (1, h, w) and layers (N, h, w), as displayed."""


class HologramPatches:
    """The phases of a hologram on a bench: those of the layers, and of the input patch if it is free.

    On a bench with a DMD all its mirrors are on, and the layers alone shape the light.
    """

    def __init__(self, calibrated: CalibratedBench, flat_input: bool) -> None:
        self._calibrated = calibrated
        self._on_dmd = calibrated.config.input.kind == "dmd"
        self._free_input = not (flat_input or self._on_dmd)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (P, h, w) of the phases."""
        config = self._calibrated.config
        return (config.layers + self._free_input, *config.cavity.patch_shape)

    def start(self, random: Tensor) -> Tensor:
        """Return phases (P, h, w) around half a turn, where rounding does not wrap them."""
        return random + REST_RAD

    def displayed(self, phases: Tensor) -> Fields:
        """Return inputs and layers as displayed, pre-compensated, in grey levels, with the gradient."""
        if self._free_input:
            return self._calibrated.displayed(phases[:1], phases[1:])
        height, width = self.shape[1:]
        even = torch.ones if self._on_dmd else torch.zeros
        return self._calibrated.displayed(even(1, height, width), phases)

    def intensity(self, phases: Tensor) -> Tensor:
        """Return the intensity (h, w) that the twin predicts, with its gradient."""
        result: Tensor = self._calibrated.twin(*self.displayed(phases))[0]
        return result

    def panel(self, displayed: Fields) -> Plane:
        """Return the pattern (H, W) of the whole SLM, radians."""
        inputs, layers = displayed
        patches = layers if self._on_dmd else torch.cat([inputs, layers])
        whole = self._calibrated.bench.layout.panel(patches.detach().numpy())
        return np.asarray(whole, np.float32)
