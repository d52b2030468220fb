"""From the patterns on the modulators to the light on the camera: optics without devices or noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from mock_hardware.drift import STILL, Drifted
from mock_hardware.geometry import MockGeometry
from mock_hardware.optics.cavity import MARGIN_PX, WAVELENGTH_STEP_NM, Alignment, CavityOptics
from mock_hardware.optics.panel import PanelOptics, PatchLight
from mock_hardware.optics.propagation import Field
from mock_hardware.optics.relay import Relay
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth

Image = npt.NDArray[np.float32]
Phase = npt.NDArray[np.float32]
ANGLE_STEP_RAD = 2e-7
"""Drifted angles are rounded to this: 0.4 mrad of phase at a patch's edge."""
STROKE_STEP = 2e-3
"""The stroke is followed to first order around multiples of this (error of the field below 2e-4)."""


class LightPath:
    """Phases and input field in, intensity out.

    The output depends on the input alone, never on earlier calls: any number of threads may use one.
    What does not change from one call to the next (the layers of a batch) is cached.
    """

    def __init__(self, geometry: MockGeometry, settings: MockSettings, truth: Truth) -> None:
        samples = settings.samples_per_pixel
        self._geometry, self._settings, self.truth = geometry, settings.effective(), truth
        self.panel = PanelOptics(truth, samples)
        self.optics = CavityOptics(
            geometry, truth, samples, settings.relay.pupil_na, settings.steepest
        )
        self._samples = samples
        # On a bench with a DMD every patch is a layer, else the first one writes the input.
        before = len(geometry.patch_lefts) - geometry.layers
        self._places = [
            None if i < before else self.optics.reflection(i - before)
            for i in range(len(geometry.patch_lefts))
        ]
        self._patches: dict[int, tuple[Phase, int, PatchLight]] = {}
        self._resting: dict[int, Field] = {}
        self._alignment = lru_cache(maxsize=4)(self._aligned)
        self._relay = lru_cache(maxsize=4)(self._relay_to)

    def flat(self) -> Phase:
        """Return the phase (patches, h, w) of grey level 0, radians."""
        zero = np.zeros(self._geometry.patch_shape, np.uint8)
        return np.stack([self.panel.phase(i, zero) for i in range(len(self._geometry.patch_lefts))])

    def plane(
        self,
        phases: Phase,
        field: Image | None = None,
        drifted: Drifted = STILL,
        flicker: float = 0.0,
    ) -> Image:
        """Return the intensity on the output plane: MARGIN_PX more than the patch on each side, S a pixel.

        Args:
            phases: Phase (patches, h, w) of the liquid crystal, radians.
            field: Amplitude (h, w) on a DMD; None if the first patch writes the input.
            drifted: How far the bench has drifted.
            flicker: Relative change of the stroke at this moment.
        """
        wavelength_nm = drifted.wavelength_nm
        # Phase is stroke over wavelength.
        stroke = self._settings.drift.stroke_per_k * drifted.temperature_k
        stroke -= wavelength_nm / self._geometry.wavelength_nm
        lights = [self._patch(i, phase, stroke, flicker) for i, phase in enumerate(phases)]
        angles = np.concatenate([drifted.beam_rad, drifted.mirror_rad]) / ANGLE_STEP_RAD
        colour = round(wavelength_nm / WAVELENGTH_STEP_NM)
        colour += round(self.truth.wavelength_off_nm / WAVELENGTH_STEP_NM)
        alignment = self._alignment(tuple(np.rint(angles)), colour)
        if field is None:
            first, layers = lights[0], lights[1:]
        else:
            sampled = field.repeat(self._samples, 0).repeat(self._samples, 1)
            efficiency = np.sqrt(self.truth.dmd_efficiency)
            first, layers = (efficiency * sampled).astype(np.complex64), lights
        seen = self.optics.intensity(first, layers, alignment)
        share = np.float32(self._settings.slm.unmodulated)
        if share == 0.0:
            return seen
        rest = [self._unmodulated(i) for i in range(len(lights))]
        if field is None:
            first, rest = rest[0], rest[1:]
        seen *= 1.0 - share
        seen += share * self.optics.intensity(first, rest, alignment)
        return seen

    def image(self, intensity: Image, roi: Roi) -> Image:
        """Return the light on a window of the sensor (H, W) from the output plane's intensity."""
        image = self._relay(roi)(intensity)
        ghost = np.float32(self._settings.relay.ghost)
        if ghost > 0.0:
            beside = round(self._settings.relay.ghost_px / np.sqrt(2.0))
            image[beside:, beside:] += ghost * image[: -beside or None, : -beside or None]
        return image

    def _unmodulated(self, index: int) -> Field:
        """Return what a patch does to light in the polarisation that its crystal leaves alone."""
        if index not in self._resting:
            flat = np.zeros(self._geometry.patch_shape, np.float32)
            self._resting[index] = self.panel.light(index, flat, 0.0, self._places[index]).at(0.0)
        return self._resting[index]

    def _aligned(self, steps: tuple[float, ...], colour: int) -> Alignment:
        angles = np.array(steps) * ANGLE_STEP_RAD
        return self.optics.alignment(angles[:2], angles[2:], colour * WAVELENGTH_STEP_NM)

    def _relay_to(self, roi: Roi) -> Relay:
        window = (roi.top, roi.left, roi.height, roi.width)
        return Relay(self.truth, self._geometry.patch_shape, window, self._samples, MARGIN_PX)

    def _patch(self, index: int, phase: Phase, stroke: float, flicker: float) -> Field:
        step = round(stroke / STROKE_STEP)
        known = self._patches.get(index)
        if known is None or known[1] != step or not np.array_equal(known[0], phase):
            light = self.panel.light(index, phase, step * STROKE_STEP, self._places[index])
            known = (phase, step, light)
            self._patches[index] = known
        return known[2].at(stroke - step * STROKE_STEP + flicker)
