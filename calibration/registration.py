"""Registration: where each pixel of the output plane falls on the camera."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from calibration.layout import PatchLayout
from calibration.result import Verdict
from calibration.steps import CalibrationStep
from drivers.protocols import SLM, Camera

Array = npt.NDArray[np.float64]
SIDE = 5
LEAST_CONTRAST = 8.0
GRID_REACH = 0.2
"""How far from the centre spots are placed, as a share of the patch."""
LENS_RADIUS = 0.26
FOCUS_RADIUS = 0.34
FOCUS_SEARCH = (0.93, 0.95, 0.97, 0.985, 1.0, 1.015, 1.03, 1.05, 1.07)
PEAK_FILL = 0.6


@dataclass(frozen=True, slots=True)
class Registration:
    """raw sensor (row, column) = matrix @ plane (row, column) + offset, all in pixels.

    residual_px: rms of the fit; held_out_px: rms on spots that were not fitted, camera pixels.
    A tilt of the beam moves all spots alike, and thus the offset; the twin's alignment finds that.
    """

    matrix: Array
    offset: Array
    residual_px: float
    held_out_px: float
    verdict: Verdict

    def plane_to_camera(self, points: Array) -> Array:
        """Raw-sensor positions (K, 2) of plane positions (K, 2)."""
        return points @ self.matrix.T + self.offset

    def camera_to_plane(self, points: Array) -> Array:
        """Plane positions (K, 2) of raw-sensor positions (K, 2)."""
        turned_back: Array = np.linalg.inv(self.matrix).astype(np.float64)
        return (points - self.offset) @ turned_back.T


def measure_registration(
    slm: SLM,
    camera: Camera,
    layout: PatchLayout,
    pedestal_counts: float,
    settle: Callable[[], None],
) -> Generator[CalibrationStep, None, Registration]:
    """Focus one spot after another with a lens on the last patch; fit an affine map to them.

    One spot a frame leaves no doubt which is which. A fifth of the spots is held out of the fit.
    Three things would bend the map by a pixel, and are kept out: a lens cut by the patch (the
    lenses are small enough to fit), a focus off the output plane (the focal length is searched
    first), and interference with the light beside the lens (it cancels in the mean over a lens of
    piston 0 and one of pi). The exposure is put back to what it was.
    """
    height, width = layout.patch_shape
    rows = (height - 1) / 2 + GRID_REACH * height * np.linspace(-1, 1, SIDE)
    columns = (width - 1) / 2 + GRID_REACH * width * np.linspace(-1, 1, SIDE)
    points = np.array([(r, c) for r in rows for c in columns])
    radius = LENS_RADIUS * min(height, width)
    focus_radius = FOCUS_RADIUS * min(height, width)
    centre_point = points[len(points) // 2]
    patches = layout.flat()
    exposure_ms = camera.exposure_ms

    def look() -> Array:
        slm.set_phase(layout.panel(patches))
        settle()
        return camera.get_frame().pixels.astype(np.float64) - pedestal_counts

    def spot_at(point: Array, gap_mm: float, radius_px: float | None) -> Array:
        total = np.zeros(camera.roi.shape)
        for piston in (0.0, np.pi):
            patches[-1] = layout.lens(point[0], point[1], gap_mm, radius_px, piston)
            total += look() / 2
        return total

    found = np.full((len(points), 2), np.nan)
    origin = np.array([camera.roi.top, camera.roi.left])
    total_steps = len(FOCUS_SEARCH) + len(points)
    try:
        peaks = []
        _expose_peak(
            camera, lambda: spot_at(centre_point, layout.gap_mm, focus_radius), pedestal_counts
        )
        for index, factor in enumerate(FOCUS_SEARCH):
            spot = spot_at(centre_point, layout.gap_mm * factor, focus_radius)
            peaks.append(_peak(spot))
            message = f"focal length {layout.gap_mm * factor:.2f} mm"
            yield CalibrationStep(
                "registration", index, total_steps, message, spot.astype(np.float32)
            )
        gap_mm = layout.gap_mm * _vertex(np.array(FOCUS_SEARCH), np.array(peaks))
        _expose_peak(camera, lambda: spot_at(centre_point, gap_mm, radius), pedestal_counts)
        patches[-1] = 0.0
        background = look()
        for index, point in enumerate(points):
            spot = spot_at(point, gap_mm, radius)
            centre, contrast = _spot_centre(spot, background)
            if contrast >= LEAST_CONTRAST:
                found[index] = centre + origin
            message = f"spot at ({centre[0]:.1f}, {centre[1]:.1f}), contrast {contrast:.0f}"
            step = index + len(FOCUS_SEARCH)
            yield CalibrationStep(
                "registration", step, total_steps, message, spot.astype(np.float32)
            )
    finally:
        camera.exposure_ms = exposure_ms
    seen = np.isfinite(found[:, 0])
    if seen.sum() < len(points) * 0.7:
        verdict = Verdict(
            "fail",
            f"only {int(seen.sum())} of {len(points)} spots were seen by the camera",
            "Check that the laser is on, that the SLM shows the pattern, and that the output plane "
            "lies within the camera's window.",
        )
        nan = np.full((2, 2), np.nan)
        return Registration(nan, nan[0], float("nan"), float("nan"), verdict)
    held_out = seen & (np.arange(len(points)) % 5 == 2)
    matrix, offset = _fit_affine(points[seen & ~held_out], found[seen & ~held_out])
    errors = np.linalg.norm(points @ matrix.T + offset - found, axis=1)
    residual = float(np.sqrt(np.mean(errors[seen & ~held_out] ** 2)))
    check = float(np.sqrt(np.mean(errors[held_out] ** 2)))
    verdict = Verdict("pass", f"held-out spots within {check:.2f} camera pixels")
    if check > 1.0:
        verdict = Verdict(
            "fail",
            f"held-out spots are off by {check:.2f} camera pixels",
            "Did the camera or the mirror move during the measurement? Run it again.",
        )
    elif check > 0.4:
        verdict = Verdict("warn", f"held-out spots are off by {check:.2f} camera pixels", "")
    return Registration(matrix, offset, residual, check, verdict)


def _expose_peak(camera: Camera, spot: Callable[[], Array], pedestal_counts: float) -> None:
    """Bring the brightest pixels of a spot to PEAK_FILL of full scale; as near as it gets."""
    low, high = camera.exposure_range_ms
    full = 2**camera.bit_depth - 1 - pedestal_counts
    for _ in range(6):
        fill = _peak(spot()) / full
        if abs(fill - PEAK_FILL) < 0.15 * PEAK_FILL:
            return
        factor = 1 / 8 if fill > 0.9 else PEAK_FILL / max(fill, PEAK_FILL / 16)
        camera.exposure_ms = float(np.clip(camera.exposure_ms * factor, low, high))


def _peak(spot: Array) -> float:
    """Brightest 3 x 3 mean: no single hot pixel."""
    return float(ndimage.uniform_filter(spot, 3).max())


def _vertex(x: Array, y: Array) -> float:
    """Where y peaks: a parabola through the highest point and two neighbours on either side."""
    middle = int(np.clip(y.argmax(), 2, len(x) - 3))
    part = slice(middle - 2, middle + 3)
    bend, slope, _ = np.polyfit(x[part] - x[middle], y[part], 2)
    shift = -slope / (2 * bend) if bend < 0 else 0.0
    return float(np.clip(x[middle] + shift, x[0], x[-1]))


def _spot_centre(spot: Array, background: Array) -> tuple[Array, float]:
    """Centroid of the peak, twice refined in a window, and its height over the rest's spread."""
    change = spot - background
    spread = float(np.median(np.abs(change - np.median(change)))) * 1.4826 + 1.0
    peak = np.array(np.unravel_index(int(change.argmax()), change.shape), dtype=float)
    contrast = float(change.max()) / spread
    radius = 6
    for _ in range(4):
        top, left = (int(v) for v in np.maximum(np.rint(peak) - radius, 0))
        window = change[top : top + 2 * radius + 1, left : left + 2 * radius + 1]
        weight = np.clip(window - 0.25 * window.max(), 0.0, None)
        total = weight.sum()
        if total <= 0:
            break
        r, c = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]]
        peak = np.array([(weight * r).sum(), (weight * c).sum()]) / total
    return peak, contrast


def _fit_affine(points: Array, found: Array) -> tuple[Array, Array]:
    """Least squares, then once more without the points beyond three times the median error."""
    design = np.column_stack([points, np.ones(len(points))])
    good = np.ones(len(points), bool)
    solution = np.zeros((3, 2))
    for _ in range(3):
        solution = np.linalg.lstsq(design[good], found[good], rcond=None)[0]
        errors = np.linalg.norm(design @ solution - found, axis=1)
        good = errors <= max(3.0 * float(np.median(errors)), 1e-9)
    return solution[:2].T, solution[2]
