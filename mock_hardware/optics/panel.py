"""Liquid crystal on silicon: from grey levels to what the light meets."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mock_hardware.truth import Truth

_T = TypeVar("_T", bound=np.generic)
Phase = npt.NDArray[np.float32]
Field = npt.NDArray[np.complex64]


class PatchLight:
    """Complex reflection (S h, S w) of a patch, and how it changes with a small change of stroke.

    d/ds exp(j (1 + s) phi) = j phi exp(j phi): what flicker needs at each frame, without a cosine.
    """

    def __init__(self, field: Field, modulated: Field, phase: Phase) -> None:
        self._field, self._modulated, self._phase = field, modulated, phase
        self._slope: Field | None = None

    def at(self, stroke: float) -> Field:
        """The reflection with the stroke changed by a further share; error (stroke phi)^2 / 2."""
        if stroke == 0.0:
            return self._field
        if self._slope is None:
            self._slope = 1j * self._phase * self._modulated
        changed: Field = self._field + np.float32(stroke) * self._slope
        return changed


class Panel:
    """The SLM's patches as optics: no time, no driver.

    samples: samples a pixel and axis.
    """

    def __init__(self, truth: Truth, samples: int = 1) -> None:
        self._samples = samples
        self._response = truth.phase_by_grey_rad.astype(np.float32)
        self._stroke = truth.stroke_map
        self._crosstalk_px = truth.crosstalk_px
        gap = truth.dead_space
        self._filled = np.float32((1.0 - gap) * np.sqrt(truth.slm_reflectivity))
        self._dead = np.float32(
            gap * np.sqrt(truth.dead_space_reflectance * truth.slm_reflectivity)
        )
        self._backplane = self._sampled(np.exp(1j * truth.backplane_rad).astype(np.complex64))

    def phase(self, patch: int, grey: npt.NDArray[np.unsignedinteger]) -> Phase:
        """Phase (h, w) to which the liquid crystal of a patch settles, radians."""
        result: Phase = self._response[grey] * self._stroke[patch]
        return result

    def light(self, patch: int, phase: Phase, stroke: float = 0.0) -> PatchLight:
        """What a patch with that phase in its crystal does to light.

        exp(j phi) averaged over a pixel: (1 - g) exp(j phi * blur) + g sqrt(R), g the dead space that
        does not modulate and so makes the zero order; times the backplane's curvature. The fringing
        field blurs the phase itself, also where it falls from 2 pi to 0.
        stroke: relative change of the phase by flicker and temperature.
        """
        blurred = self._sampled(phase)
        if self._crosstalk_px > 0.0:
            sigma = self._crosstalk_px * self._samples
            radius = max(1, round(3.0 * sigma))
            ndimage.gaussian_filter(blurred, sigma, mode="nearest", radius=radius, output=blurred)
        if stroke:
            blurred *= np.float32(1.0 + stroke)
        modulated = np.empty(blurred.shape, np.complex64)
        np.cos(blurred, out=modulated.real)
        np.sin(blurred, out=modulated.imag)
        modulated *= self._filled * self._backplane[patch]
        return PatchLight(modulated + self._dead * self._backplane[patch], modulated, blurred)

    def _sampled(self, pixels: npt.NDArray[_T]) -> npt.NDArray[_T]:
        if self._samples == 1:
            return pixels.copy()
        return pixels.repeat(self._samples, -2).repeat(self._samples, -1)
