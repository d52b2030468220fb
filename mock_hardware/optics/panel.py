"""Liquid crystal on silicon: from grey levels to what the light meets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import erf

from mock_hardware.truth import Truth

Phase = npt.NDArray[np.float32]
Field = npt.NDArray[np.complex64]
Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

FINEST = 4
"""Least number of points a pixel and axis by which the crystal's profile is computed."""
LOBES = 2
"""Half width of the low pass from these points to the samples, in samples."""


class PatchLight:
    """Complex reflection (S h, S w) of a patch, and how it changes with a small change of stroke.

    d/ds exp(j (1 + s) phi) = j phi exp(j phi): what flicker needs at each frame, without a cosine.
    """

    def __init__(self, field: Field, modulated: Field, phase: Phase) -> None:
        self._field, self._modulated, self._phase = field, modulated, phase
        self._slope: Field | None = None

    def at(self, stroke: float) -> Field:
        """Return the reflection with the stroke changed by a further share; error (stroke phi)^2 / 2."""
        if stroke == 0.0:
            return self._field
        if self._slope is None:
            self._slope = 1j * self._phase * self._modulated
        # As pairs of reals: a complex product with a real number would take twice as long.
        changed = np.float32(stroke) * self._slope.view(np.float32)
        changed += self._field.view(np.float32)
        field: Field = changed.view(np.complex64)
        return field


class PanelOptics:
    """The SLM's patches as optics: no time, no driver.

    samples: samples a pixel and axis.
    """

    def __init__(self, truth: Truth, samples: int = 1) -> None:
        self._samples = samples
        self._response = truth.phase_by_grey_rad.astype(np.float32)
        self._stroke, self._error = truth.stroke_map, truth.phase_error_rad
        self._growth = truth.fringing_growth
        finer = max(2, -(-FINEST // samples))
        self._finer = finer
        weights, low_pass = _fringing(truth.crosstalk_px, samples * finer), _low_pass(finer)
        sizes = truth.stroke_map.shape[1:]
        self._spread = [_spread(weights, size) for size in sizes]
        self._sampled = [_sampled(low_pass, samples * size) for size in sizes]
        gap = truth.dead_space
        self._filled = np.float32((1.0 - gap) * np.sqrt(truth.slm_reflectivity))
        self._dead = np.float32(
            gap * np.sqrt(truth.dead_space_reflectance * truth.slm_reflectivity)
        )
        backplane = (truth.panel_dust * np.exp(1j * truth.backplane_rad)).astype(np.complex64)
        self._backplane = backplane.repeat(samples, -2).repeat(samples, -1)

    def phase(self, patch: int, grey: npt.NDArray[np.unsignedinteger]) -> Phase:
        """Return the phase (h, w) to which the liquid crystal of a patch settles, radians."""
        result: Phase = self._response[grey] * self._stroke[patch] + self._error[patch]
        return result

    def light(
        self, patch: int, phase: Phase, stroke: float = 0.0, place: Field | None = None
    ) -> PatchLight:
        """Return the reflection of a patch with that phase in its crystal.

        (1 - g) exp(j phi * blur) + g sqrt(R), g the dead space that does not modulate and so makes the
        zero order; times the backplane's curvature. The fringing field blurs the phase itself, also
        where it falls from 2 pi to 0. What varies faster than the samples can carry leaves the bench
        at angles that the samples cannot carry either, and is filtered out. With fringing growth a pixel
        is drawn to the mean of its four neighbours by a share that grows with how far it is from them.

        Args:
            patch: its number.
            phase: of its crystal, (h, w).
            stroke: relative change of the phase by flicker and temperature.
            place: a further factor of the cavity at the patch, (S h, S w).
        """
        if self._growth:
            phase = _drawn_to_neighbours(phase, self._growth)
        along_rows, along_columns = self._spread
        fine = along_columns @ _turned(along_rows @ (phase * np.float32(1.0 + stroke)))  # (w, h)
        wide, high = fine.shape
        wave = np.empty((wide, 2, high), np.float32)
        np.cos(fine, out=wave[:, 0])
        np.sin(fine, out=wave[:, 1])
        along_rows, along_columns = self._sampled
        wave = (along_columns @ wave.reshape(wide, 2 * high)).reshape(-1, 2, high)
        pairs = along_rows @ np.ascontiguousarray(wave.transpose(2, 0, 1)).reshape(high, -1)
        modulated: Field = pairs.view(np.complex64)
        behind = self._backplane[patch] if place is None else self._backplane[patch] * place
        modulated *= self._filled * behind
        field = modulated + self._dead * behind
        # For a change of stroke in the per mille the phase between two points will do.
        near = self._finer // 2
        return PatchLight(field, modulated, _turned(fine[near :: self._finer, near :: self._finer]))


def _drawn_to_neighbours(phase: Phase, growth: float) -> Phase:
    """Return the phase (h, w) with each pixel moved towards its four neighbours' mean m.

    phi + g |m - phi| / 2 pi (m - phi): no blur of the phase, of whatever width, does the same.
    """
    wider = np.pad(phase, 1, mode="edge")
    mean = (wider[:-2, 1:-1] + wider[2:, 1:-1] + wider[1:-1, :-2] + wider[1:-1, 2:]) / 4.0
    away = mean - phase
    drawn: Phase = phase + np.float32(growth / (2.0 * np.pi)) * np.abs(away) * away
    return drawn


def _fringing(sigma_px: float, points: int) -> npt.NDArray[np.float32]:
    """Return the weights (points, 2 r + 1) of pixels n - r ... n + r at each point of pixel n.

    A pixel that is 1 and its neighbours 0, blurred: 1/2 erf((x + 1/2) / w) - 1/2 erf((x - 1/2) / w)
    with w = sqrt(2) sigma, x the distance from its centre in pixels (Persson 2012).
    """
    if sigma_px == 0.0:
        return np.ones((points, 1), np.float32)
    reach = int(np.ceil(3.0 * sigma_px))
    place = (np.arange(points) + 0.5) / points - 0.5
    away: Array = place[:, None] - np.arange(-reach, reach + 1)[None, :]
    width = np.sqrt(2.0) * sigma_px
    weights = 0.5 * (erf((away + 0.5) / width) - erf((away - 0.5) / width))
    share: npt.NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype("f4")
    return share


def _spread(weights: npt.NDArray[np.float32], size: int) -> sparse.csr_array:
    """Return (points * size, size): each pixel as `points` finer ones; edge pixels extend outwards."""
    points, taps = weights.shape
    pixel, point, tap = np.mgrid[:size, :points, :taps].reshape(3, -1)
    source = np.clip(pixel + tap - taps // 2, 0, size - 1)
    return _matrix(pixel * points + point, source, weights[point, tap], (points * size, size))


def _low_pass(finer: int) -> npt.NDArray[np.float32]:
    """Return a sinc under a Kaiser window, (2 LOBES finer,): `finer` points a sample to one."""
    place = np.arange(-LOBES * finer, LOBES * finer) + 0.5
    weights = np.sinc(place / finer) * np.kaiser(len(place), 4.0)
    share: npt.NDArray[np.float32] = (weights / weights.sum()).astype("f4")
    return share


def _sampled(weights: npt.NDArray[np.float32], size: int) -> sparse.csr_array:
    """Return (size, finer * size): every `finer` points as one sample; edge points extend outwards."""
    finer = len(weights) // (2 * LOBES)
    sample, tap = np.mgrid[:size, : len(weights)].reshape(2, -1)
    source = np.clip(finer * sample + finer // 2 - LOBES * finer + tap, 0, finer * size - 1)
    return _matrix(sample, source, weights[tap], (size, finer * size))


def _matrix(
    rows: Index, columns: Index, weights: npt.NDArray[np.float32], shape: tuple[int, int]
) -> sparse.csr_array:
    return sparse.csr_array((weights, (rows, columns)), shape=shape)


def _turned(values: Phase) -> Phase:
    """Return the transpose, copied: the sparse products need each row in one piece."""
    return np.ascontiguousarray(values.T)
