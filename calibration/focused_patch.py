"""A patch under one lens or several, and the camera's pixels around their focuses."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import scipy

from calibration.coded_blocks import Blocks
from calibration.exposure import step_towards
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.packing import full_scale_counts
from calibration.registration import Registration
from calibration.step import CalibrationStep

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.float32]
LEAST_CONTRAST = 8.0
"""A focus's peak over the mean of the frame: less is no focus."""
LEAST_COUNTS = 20.0
PEAK_FILL = 0.5
LONGER = 1.7
"""All blocks in phase make a peak that no code repeats: the coded frames bear so much more exposure."""
NEAR_FOCUS = 0.35
"""Radius around a focus within which pixels are used, in wavelength * focal length / lens width."""
SEARCH_PX = 6


class NoSpotError(Exception):
    """Raised if a lens makes no spot; says which."""


class FocusedCamera:
    """Displays patterns on one patch, all others flat, and measures the focuses."""

    def __init__(
        self,
        bench: ObservedSLM,
        layout: PatchLayout,
        registration: Registration,
    ) -> None:
        self._bench, self._camera = bench, bench.camera
        self._layout, self._registration = layout, registration
        self._plane = 0
        # Until `aim` is called: no focus.
        none = np.zeros((0, 0), np.intp)
        self._focuses: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] = none, none
        self.frame: Picture = np.zeros((1, 1), np.float32)

    def counts_with(self, phase_rad: Array) -> Array:
        """Measure counts (focuses, pixels) with this phase (h, w) on the patch in use."""
        return self._shown(self._plane, phase_rad)[self._focuses]

    def centre_lens(self, plane: int, path_mm: float) -> Generator[CalibrationStep, None, Array]:
        """Find the phase (h, w) of a lens on a plane whose focus falls on the output plane's centre.

        The spot is looked for and the lens moved against its distance, twice. Raises NoSpotError.
        """
        height, width = self._layout.patch_shape
        middle = np.array([(height - 1) / 2.0, (width - 1) / 2.0])
        centre = middle.copy()
        for index in range(3):
            lens = parabola(self._layout, centre, path_mm)
            self._expose(plane, lens)
            frame = self._shown(plane, lens)
            place = _brightest(frame)
            roi = self._camera.roi
            at = self._registration.camera_to_plane(place[None] + (roi.top, roi.left))[0]
            message = f"focus at ({at[0]:.1f}, {at[1]:.1f}) on the output plane"
            yield CalibrationStep("beam", 0, 3, message, self.frame)
            if index < 2:
                centre -= at - middle
        return lens

    def aim(self, plane: int, lenses_rad: Array, across: int) -> None:
        """Use the focuses of lenses on a plane from now on, and set the exposure for them.

        Args:
            plane: Number of the patch.
            lenses_rad: (h, w), the lenses.
            across: Number of focuses in a row and in a column.

        Raises:
            NoSpotError: There is no light at a focus.
        """
        layout, roi = self._layout, self._camera.roi
        last = len(layout.lefts) - 1
        self._expose(plane, lenses_rad)
        frame = scipy.ndimage.uniform_filter(self._shown(plane, lenses_rad), 3)
        height, width = layout.patch_shape
        rows, columns = (_middles(n, across) for n in (height, width))
        wanted = np.array([(r, c) for r in rows for c in columns])
        places = self._registration.plane_to_camera(wanted) - (roi.top, roi.left)
        camera_px = np.sqrt(abs(np.linalg.det(self._registration.matrix)))
        path_um = layout.gap_mm * 1e3 * (last + 1 - plane)
        spot_um = (
            layout.wavelength_nm
            * 1e-3
            * path_um
            * across
            / (min(height, width) * layout.pixel_pitch_um)
        )
        radius = max(int(NEAR_FOCUS * camera_px * spot_um / layout.pixel_pitch_um), 1)
        found = []
        for place in np.rint(places).astype(int):
            low = np.maximum(place - SEARCH_PX, 0)
            part = frame[low[0] : place[0] + SEARCH_PX + 1, low[1] : place[1] + SEARCH_PX + 1]
            if not part.size:
                raise NoSpotError("a focus lies beyond the camera's window")
            at = low + np.unravel_index(int(part.argmax()), part.shape)
            found.append(np.clip(at, radius, np.array(frame.shape) - radius - 1))
        offsets = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
        centres = np.array(found)
        self._focuses = (
            (centres[:, :1] + offsets[0]).astype(np.intp),
            (centres[:, 1:] + offsets[1]).astype(np.intp),
        )
        self._plane = plane
        low_ms, high_ms = self._camera.exposure_range_ms
        self._camera.exposure_ms = float(
            np.clip(LONGER * self._camera.exposure_ms, low_ms, high_ms)
        )

    def _expose(self, plane: int, phase_rad: Array) -> None:
        """Bring the brightest pixels to PEAK_FILL of full scale; raises NoSpotError if there are none."""
        full = full_scale_counts(self._camera) - self._bench.pedestal_counts
        for _ in range(8):
            frame = scipy.ndimage.uniform_filter(self._shown(plane, phase_rad), 3)
            fill = float(frame.max()) / full
            if abs(fill - PEAK_FILL) < 0.15 * PEAK_FILL:
                break
            step_towards(self._camera, fill, PEAK_FILL)
        peak = float(frame.max())
        if peak < LEAST_COUNTS or peak < LEAST_CONTRAST * float(frame.mean()):
            raise NoSpotError(f"a lens on patch {plane} makes no spot on the camera")

    def _shown(self, plane: int, phase_rad: Array) -> Array:
        patches = self._layout.flat()
        patches[plane] = phase_rad
        counts = self._bench.counts_with(self._layout.panel(patches))
        self.frame = counts.astype(np.float32)
        return counts


def parabola(layout: PatchLayout, centre: Array, path_mm: float) -> Array:
    """Return the phase (h, w) of a lens over the whole patch, -pi r^2 / (lambda f).

    Args:
        layout: Pitch and wavelength, and the patch's shape.
        centre: (row, column) of the lens, pixels.
        path_mm: Focal length f.
    """
    height, width = layout.patch_shape
    y = np.arange(height)[:, None] - centre[0]
    x = np.arange(width)[None, :] - centre[1]
    scale = np.pi * layout.pixel_pitch_um**2 / (layout.wavelength_nm * path_mm)
    lens: Array = -scale * (x**2 + y**2)
    return lens


def lens_array(layout: PatchLayout, across: int) -> Array:
    """Return the phase (h, w) of across x across lenses of one gap, side by side."""
    lenses = np.zeros(layout.patch_shape)
    rows, columns = (np.arange(n) * across // n for n in layout.patch_shape)
    middles = [_middles(n, across) for n in layout.patch_shape]
    for i, row in enumerate(middles[0]):
        for j, column in enumerate(middles[1]):
            inside = np.ix_(rows == i, columns == j)
            lenses[inside] = parabola(layout, np.array([row, column]), layout.gap_mm)[inside]
    return lenses


def focused_blocks(shape: tuple[int, int], side: int, across: int, lens_rad: Array) -> Blocks:
    """Return side x side blocks that share focuses, in two halves, a chequerboard.

    Args:
        shape: (height, width) of the patch.
        side: Number of blocks in a row and in a column.
        across: Number of focuses in a row and in a column.
        lens_rad: (height, width), the lenses that make the focuses.
    """
    rows, columns = (_nested(n, side, across) for n in shape)
    labels = (rows[:, None] * side + columns[None, :]).astype(np.intp)
    row, column = np.divmod(np.arange(side**2), side)
    focus = (row * across // side) * across + column * across // side
    odd = (row + column) % 2 == 1
    number = np.arange(side**2)
    return Blocks(labels, focus, lens_rad, (number[~odd], number[odd]))


def column_strips(shape: tuple[int, int], strips: int, width_px: int, lens_rad: Array) -> Blocks:
    """Return narrow blocks of full height at the patch's left; the rest is the reference.

    Args:
        shape: (height, width) of the patch.
        strips: Number of blocks.
        width_px: Of each.
        lens_rad: (height, width), the lens that focuses them.
    """
    labels = np.full(shape, -1, np.intp)
    labels[:, : strips * width_px] = np.arange(strips * width_px) // width_px
    number = np.arange(strips)
    return Blocks(labels, np.zeros(strips, np.intp), lens_rad, (number,))


def _nested(size: int, side: int, across: int) -> npt.NDArray[np.intp]:
    """Return each pixel's block along one axis, (size,), such that no block lies under two lenses."""
    lens = np.arange(size) * across // size
    first = np.searchsorted(lens, np.arange(across + 1))
    each = side // across
    block = (np.arange(size) - first[lens]) * each // np.diff(first)[lens]
    result: npt.NDArray[np.intp] = lens * each + block
    return result


def _middles(size: int, across: int) -> Array:
    """Return the middle pixel of each lens along one axis."""
    lens = np.arange(size) * across // size
    return np.array([np.flatnonzero(lens == i).mean() for i in range(across)])


def _brightest(frame: Array) -> Array:
    smooth = scipy.ndimage.gaussian_filter(frame, 1.5)
    return np.array(np.unravel_index(int(smooth.argmax()), smooth.shape), float)
