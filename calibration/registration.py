"""Registration: where each pixel of the output plane falls on the camera, in three frames."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import scipy

from calibration.constellation import assign, beacon_powers, draw_points, reach_of
from calibration.exposure import step_towards
from calibration.layout import PatchLayout
from calibration.map_fit import fit_map, map_sigma
from calibration.observed_slm import ObservedSLM
from calibration.observed_spots import predicted_spots, sight
from calibration.packing import full_scale_counts
from calibration.registration_causes import (
    LAYOUT_REMEDY,
    LIGHT_REMEDY,
    REACH_PX,
    STATIC,
    first_known,
    held_out_error,
    inside_frame,
    places_of,
    why_few,
    why_off,
)
from calibration.result import CalibrationResult, Verdict
from calibration.signs import Sign
from calibration.spot_search import find_spots, moving_parts, noise_of
from calibration.spots import Constellation, LensSpots, SpotPlane, superpose
from calibration.step import CalibrationStep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
FRAMES = 3
SPOTS = 25
EXPOSURE_FRAMES = 6
FILL = 0.4
"""Of full scale, which as many pixels reach as there are spots."""
PUPIL_JITTER = 0.1
"""How far aside of its spot a lens is put at random, share of the patch."""
DIMMEST_SIGMAS = 6.0
LEAST_CHANGE = 0.1
"""Of the spots' brightness, that goes with the pattern."""
FEWEST, FEW = 0.6, 0.8
"""Shares of the spots below which a frame is not believed, and below which it is worth a word."""
EDGE_PX, LIT_EDGE = 3, 0.05
"""Width of the frame's edge, and the share of the mean light from which on something is cut off there."""
LARGEST_ERROR_PX, LARGE_ERROR_PX = 1.0, 0.4
BACKPLANE_RAD = 0.1
"""Typical of a patch: data sheets promise a quarter of a wave over the whole panel."""
DRAWN_LINES = 12
"""Number of lines, each way, of the grid that shows where the output plane lies."""


@dataclass(frozen=True, slots=True)
class Registration(CalibrationResult):
    """raw sensor (row, column) = matrix @ plane (row, column) + offset, all in pixels.

    residual_px: rms of the fit; held_out_px: rms on the third frame's spots by the first two frames,
    without the few that are far off all others; sigma_px: standard deviation of the map, rms over the
    plane. Camera pixels.
    A tilt of the beam moves all spots alike, and thus the offset, which sigma_px does not hold; and where
    the light that arrives on the last patch converges unforeseen, the scale is off. The twin's alignment
    finds both.
    """

    routine: ClassVar[str] = "registration"
    title: ClassVar[str] = "Which camera pixel sees which pixel of the output plane"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {"matrix": (2, 2), "offset": (2,)}

    matrix: Array
    offset: Array
    residual_px: float
    held_out_px: float
    verdict: Verdict
    sigma_px: float = float("nan")

    def plane_to_camera(self, points: Array) -> Array:
        """Return the raw-sensor positions (K, 2) of plane positions (K, 2)."""
        return points @ self.matrix.T + self.offset

    def camera_to_plane(self, points: Array) -> Array:
        """Return the plane positions (K, 2) of raw-sensor positions (K, 2)."""
        turned_back: Array = np.linalg.inv(self.matrix).astype(np.float64)
        return (points - self.offset) @ turned_back.T

    def derived_quantities(self) -> dict[str, float]:
        """Return scale, rotation and offset of the map from the output plane to the sensor."""
        return {
            "scale": float(np.sqrt(abs(np.linalg.det(self.matrix)))),
            "rotation_deg": float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0]))),
            "offset_row_px": float(self.offset[0]),
            "offset_column_px": float(self.offset[1]),
        }

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return where the output plane lies on the sensor; None if it was not found."""
        from matplotlib.figure import Figure

        if not np.isfinite(self.matrix).all():
            return None
        figure = Figure(figsize=(5, 3.6), layout="constrained")
        ax = figure.subplots()
        along_rows, along_columns = (np.linspace(0.0, n - 1.0, DRAWN_LINES) for n in patch_shape)
        grid = np.stack(np.meshgrid(along_rows, along_columns, indexing="ij"), axis=-1)
        for line in (*grid, *grid.swapaxes(0, 1)):
            rows, columns = self.plane_to_camera(line).T
            ax.plot(columns, rows, color="C0", lw=0.7)
        origin = self.plane_to_camera(np.zeros((1, 2)))[0]
        ax.plot(origin[1], origin[0], "o", color="C3")
        ax.set(xlabel="camera column, px", ylabel="camera row, px", aspect="equal")
        ax.set_title("The output plane on the sensor; red: its pixel (0, 0)", fontsize=9)
        ax.invert_yaxis()
        return figure


def measure_registration(
    bench: ObservedSLM,
    layout: PatchLayout,
) -> Generator[CalibrationStep, None, Registration]:
    """Register a folded bench: spots by lenses on the last patch (`register`).

    sigma_px holds the curvature of the patches too, which scales the map and is not known yet.
    """
    found = yield from register(bench, LensSpots(layout))
    if found.verdict.level == "fail":
        return found
    scale = float(np.sqrt(abs(np.linalg.det(found.matrix))))
    unknown_px = scale * curvature_shift_px(layout, BACKPLANE_RAD)
    return replace(found, sigma_px=float(np.hypot(found.sigma_px, unknown_px)))


def curvature_shift_px(layout: PatchLayout, backplane_rad: float) -> float:
    """Return by how much patches that curve by so much shift spots on the output plane, rms, pixels.

    backplane_rad: rms of defocus, sqrt(3) (2 r^2 / R^2 - 1), on the circle around each patch. Its slope
    turns light, which then goes one gap; patches curve independently, and light stays about where it is.
    """
    half_um = 0.5 * float(np.hypot(*layout.patch_shape)) * layout.pixel_pitch_um
    at_um = half_um / np.sqrt(3.0)  # rms radius of a square, of its half diagonal
    slope_rad_um = 4.0 * np.sqrt(3.0) * backplane_rad * at_um / half_um**2
    angle_rad = slope_rad_um * layout.wavelength_nm * 1e-3 / (2.0 * np.pi)
    shift_um = angle_rad * layout.gap_mm * 1e3 * np.sqrt(len(layout.lefts))
    return float(shift_um / layout.pixel_pitch_um)


def register(
    bench: ObservedSLM,
    plane: SpotPlane,
    spots: int = SPOTS,
    seed: int = 0,
) -> Generator[CalibrationStep, None, Registration]:
    """Measure three random constellations of spots, a frame each, and fit an affine map to them.

    Before these, up to EXPOSURE_FRAMES frames of the first one set the exposure, which is put back.
    What is the same in most frames (zero order, hot pixels, stray light) cancels. No scale, orientation
    or place is assumed. Where a spot ought to be is not its data-sheet place but the centroid of the
    light there as the whole pattern makes it, so that the spots' side lobes do not bend the map. The
    third frame is predicted from the first two, which makes the verdict, and then joins the fit.

    Args:
        bench: SLM and camera.
        plane: where the SLM's spots fall.
        spots: of a constellation.
        seed: of their places.
    """
    constellations = make_constellations(plane, spots, seed)
    camera = bench.camera
    exposure_ms = camera.exposure_ms
    total = EXPOSURE_FRAMES + FRAMES
    frames = []

    def counts_with(which: Constellation) -> Array:
        return bench.counts_with(plane.panel(which.phase))

    full = full_scale_counts(camera) - bench.pedestal_counts
    try:
        for index in range(EXPOSURE_FRAMES):
            frame = counts_with(constellations[0])
            fill = _nth_brightest(frame, spots) / full
            message = f"spots fill {fill:.0%} at {camera.exposure_ms:.3g} ms"
            yield CalibrationStep("registration", index, total, message, frame.astype(np.float32))
            if abs(fill - FILL) < 0.15 or not step_towards(camera, fill, FILL):
                break
        for index, constellation in enumerate(constellations):
            frames.append(counts_with(constellation))
            yield CalibrationStep(
                "registration",
                EXPOSURE_FRAMES + index,
                total,
                f"{spots} spots, frame {index + 1} of {FRAMES}",
                frames[-1].astype(np.float32),
            )
    finally:
        camera.exposure_ms = exposure_ms
    origin = np.array([camera.roi.top, camera.roi.left], float)
    return evaluate(plane, constellations, np.stack(frames), full, origin)


def make_constellations(plane: SpotPlane, spots: int, seed: int) -> list[Constellation]:
    """Return FRAMES constellations of different places; lenses stand somewhat aside of their spots.

    Args:
        plane: On which the lenses are written, and where they focus.
        spots: Number of a constellation.
        seed: Of places and lenses.
    """
    rng = np.random.default_rng(seed)
    made = []
    for index, points in enumerate(draw_points(plane, spots, FRAMES, seed)):
        aside = rng.uniform(-1.0, 1.0, points.shape) * PUPIL_JITTER * min(plane.shape)
        made.append(superpose(plane, points, beacon_powers(spots), points + aside, seed + index))
    return made


def evaluate(
    plane: SpotPlane, constellations: list[Constellation], frames: Array, full: float, origin: Array
) -> Registration:
    """Find the registration from frames of constellations.

    Args:
        plane: On which the constellations were written.
        constellations: One for each frame.
        frames: (3, H, W), counts above the pedestal.
        full: Counts at which a pixel saturates.
        origin: (row, column) of the window on the raw sensor.
    """
    parts = moving_parts(frames)
    count = len(constellations[0].points)
    bright = _nth_brightest(frames[0], count)
    if bright < DIMMEST_SIGMAS * noise_of(frames[0] - scipy.ndimage.median_filter(frames[0], 5)):
        return _failed("no light on the camera", "Is the laser on? Raise its power.", "no light")
    if min(_nth_brightest(part, count) for part in parts) < LEAST_CHANGE * bright:
        return _failed(
            "the picture does not change with the pattern", STATIC, "picture stands still"
        )
    found = [find_spots(part, 2 * count) for part in parts]
    solution = first_known(constellations, found)
    if solution is None:
        cut_off = light_at_edge(parts) > LIT_EDGE
        return _failed(
            "the spots on the camera are not the pattern's",
            LAYOUT_REMEDY,
            "unknown spots",
            *(("light at the frame's edge",) if cut_off else ()),
        )
    sightings = []
    for index, (constellation, spots) in enumerate(zip(constellations, found, strict=True)):
        expected = places_of(constellation, solution)
        reach_px = reach_of(constellation.points, solution, REACH_PX)
        sighting = sight(constellation, assign(expected, spots, reach_px), spots)
        if len(sighting.places) < FEWEST * count:
            return _failed(*why_few(constellations, index, spots, solution, parts[0].shape))
        sightings.append(sighting)
    stretch = 1.0
    for _ in range(2):
        sightings = [
            predicted_spots(plane, c, s, solution, stretch)
            for c, s in zip(constellations, sightings, strict=True)
        ]
        early = fit_map(sightings[:2])
        if early.stretch == 0.0:
            break
        stretch *= 1.0 + early.stretch
    held_out = sightings[2].places - early(sightings[2])
    held_out_px, strays = held_out_error(held_out)
    final = fit_map(sightings)
    low, high = plane.bounds
    lines = np.linspace(low, high, 5)
    corners = np.stack(np.meshgrid(lines[:, 0], lines[:, 1]), axis=-1).reshape(-1, 2)
    peaks = [f[_pixels(s.places)] for f, s in zip(frames, sightings, strict=True)]
    saturated = np.mean(np.concatenate(peaks) >= full)
    seen = sum(len(s.places) for s in sightings)
    inside = sum(inside_frame(c, solution, parts[0].shape).sum() for c in constellations)
    verdict = _verdict(
        held_out, float(saturated), (seen - strays) / (FRAMES * count), seen / inside
    )
    return Registration(
        final.matrix,
        final.offset + origin,
        final.residual_px,
        held_out_px,
        verdict,
        map_sigma(final, corners),
    )


def _nth_brightest(frame: Array, count: int) -> float:
    return float(np.partition(frame.ravel(), -count)[-count])


def _pixels(places: Array) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    rows, columns = np.rint(places).astype(int).T
    return rows, columns


def _failed(reason: str, remedy: str, *signs: Sign) -> Registration:
    nan = np.full((2, 2), np.nan)
    verdict = Verdict("fail", reason, remedy, signs)
    return Registration(nan, nan[0], float("nan"), float("nan"), verdict, float("nan"))


def light_at_edge(parts: Array) -> float:
    """Return the light of moving parts (K, H, W) in the outermost pixels, over that of the whole frame.

    Means of the squares, which noise does not lift where spots are bright.
    """
    bright = np.square(parts).mean(axis=0)
    inner = bright[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX]
    outer = (bright.sum() - inner.sum()) / (bright.size - inner.size)
    return float(outer / max(float(bright.mean()), 1e-30))


def _verdict(held_out: Array, saturated: float, seen: float, lit: float) -> Verdict:
    """Return the verdict.

    Args:
        held_out: errors (S, 2) of the third frame's spots, camera pixels.
        saturated: share of the spots.
        seen: share of the spots, without strays.
        lit: share of the spots that lie on the camera.
    """
    held_out_px, _ = held_out_error(held_out)
    message = f"check spots within {held_out_px:.2f} camera pixels"
    remedy, sign = why_off(held_out)
    if held_out_px > LARGEST_ERROR_PX:
        return Verdict(
            "fail",
            f"check spots are off by {held_out_px:.2f} camera pixels",
            remedy,
            (sign,),
        )
    if lit < FEW:
        return Verdict(
            "fail",
            f"only {lit:.0%} of the spots that lie on the camera are seen",
            LIGHT_REMEDY,
            ("spots missing",),
        )
    if saturated > 0.5:
        remedy = "Lower the laser's power."
        return Verdict("fail", "most spots saturate the camera", remedy, ("too much light",))
    if saturated > 0.25:
        return Verdict("warn", f"{message}; {saturated:.0%} of them saturate", "Lower the power.")
    if seen < FEW:
        reason = f"{message}, but only {seen:.0%} are seen"
        return Verdict("warn", reason, LAYOUT_REMEDY, ("spots missing",))
    if held_out_px > LARGE_ERROR_PX:
        reason = f"check spots are off by {held_out_px:.2f} camera pixels"
        return Verdict("warn", reason, "", ("spots astray",))
    return Verdict("pass", message)
