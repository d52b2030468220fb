"""Registration: where each pixel of the output plane falls on the camera."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.result import Verdict
from calibration.steps import CalibrationStep
from drivers.protocols import SLM, Camera

Array = npt.NDArray[np.float64]
SIDE = 5
LEAST_CONTRAST = 8.0


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


def nominal_registration(
    layout: PatchLayout, camera_shape: tuple[int, int], camera_pitch_um: float, magnification: float
) -> Registration:
    """Upright and centred, as the bench file says; for a first look and the camera's window."""
    scale = magnification * layout.pixel_pitch_um / camera_pitch_um
    matrix = scale * np.eye(2)
    centre = (np.array(layout.patch_shape) - 1) / 2
    offset = (np.array(camera_shape) - 1) / 2 - matrix @ centre
    verdict = Verdict("warn", "data-sheet values, not measured")
    return Registration(matrix, offset, float("nan"), float("nan"), verdict)


def measure_registration(
    slm: SLM,
    camera: Camera,
    layout: PatchLayout,
    pedestal_counts: float,
    settle: Callable[[], None],
) -> Generator[CalibrationStep, None, Registration]:
    """Focus one spot after another with a lens on the last patch; fit an affine map to their centres.

    One spot a frame leaves no doubt which is which. A fifth of the spots is held out of the fit.
    """
    height, width = layout.patch_shape
    margin = 0.2
    rows = np.linspace(margin * height, (1 - margin) * height - 1, SIDE)
    columns = np.linspace(margin * width, (1 - margin) * width - 1, SIDE)
    points = np.array([(r, c) for r in rows for c in columns])
    patches = layout.flat()

    def look() -> Array:
        slm.set_phase(layout.panel(patches))
        settle()
        return camera.get_frame().pixels.astype(np.float64) - pedestal_counts

    background = look()
    found = np.full((len(points), 2), np.nan)
    origin = np.array([camera.roi.top, camera.roi.left])
    for index, (row, column) in enumerate(points):
        patches[-1] = layout.lens(row, column)
        spot = look()
        centre, contrast = _spot_centre(spot, background)
        if contrast >= LEAST_CONTRAST:
            found[index] = centre + origin
        message = f"spot at ({centre[0]:.1f}, {centre[1]:.1f}), contrast {contrast:.0f}"
        yield CalibrationStep(
            "registration", index, len(points), message, spot.astype(np.float32)
        )
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
