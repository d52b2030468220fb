"""Wavefront: phase and amplitude of the light on the SLM, by interference of super-pixels."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from calibration.exposure import step_towards
from calibration.observed_slm import ObservedSLM
from calibration.packing import full_scale_counts
from calibration.registration import Registration
from calibration.result import CalibrationResult, Verdict
from calibration.spots import SpotPlane
from calibration.step import CalibrationStep
from calibration.superpixels import (
    SuperPixelGrid,
    WavefrontMaps,
    pixel_visibility,
    spot_window,
    wavefront_maps,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.complex128]
BLOCKS = (12, 12)
STEPS = 3
EXPOSURE_FRAMES = 8
FILL = 0.6
LEAST_PIXELS = 16
LEAST_CONTRAST = 4.0
"""Amplitudes in deviations, median over the super-pixels, below which there is no interference."""
LARGEST_HELD_OUT_RAD = 0.5
"""Super-pixels that were left out and are missed by more have no phase in common."""
LARGE_HELD_OUT_RAD = 0.15
LARGEST_MISS, LARGE_MISS = 0.5, 0.25
"""Of the gain in brightness: the camera's own optics blur the spot and take a part of it."""
LEAST_GAIN = 0.9
LEAST_DRAWN_AMPLITUDE = 0.1
"""Least amplitude of the light at which its phase is drawn."""


@dataclass(frozen=True, slots=True)
class Wavefront(CalibrationResult):
    """phase_rad, amplitude (h, w): of the light on the SLM's pixels; the correction is -phase_rad.

    Without piston; a tilt is what the registration cannot tell from a shift. amplitude: 1 at most.
    phase_sigma_rad, amplitude_sigma: standard deviation of a super-pixel, median over all. held_out_rad:
    rms on super-pixels that were left out of the smooth map. strehl: of the flat SLM by these maps, and
    gain_error: by how much the corrected spot's brightness, against the uncorrected one's, was predicted
    wrongly, a share.
    """

    routine: ClassVar[str] = "wavefront"
    title: ClassVar[str] = "Aberrations of the light on the last patch"
    plotted: ClassVar[str] = "phase_rad"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {
        "phase_rad": (None, None),
        "amplitude": (None, None),
    }

    phase_rad: Array = field(compare=False)
    amplitude: Array = field(compare=False)
    phase_sigma_rad: float
    amplitude_sigma: float
    held_out_rad: float
    strehl: float
    gain_error: float
    verdict: Verdict

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return phase and amplitude of the light on the last patch; None if it failed."""
        from matplotlib.figure import Figure

        if not np.isfinite(self.phase_rad).any():
            return None
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        # Where there is no light there is no phase.
        lit_rad = np.where(self.amplitude > LEAST_DRAWN_AMPLITUDE, self.phase_rad, np.nan)
        for ax, values, title, colours in (
            (left, lit_rad, "phase on the last patch, rad", "twilight"),
            (right, self.amplitude, "amplitude on the last patch", "inferno"),
        ):
            drawn = ax.imshow(values, cmap=colours, interpolation="nearest")
            ax.set_title(title, fontsize=9)
            ax.set_xticks([]), ax.set_yticks([])
            figure.colorbar(drawn, ax=ax, shrink=0.8).ax.tick_params(labelsize=7)
        return figure


def measure_wavefront(
    bench: ObservedSLM,
    plane: SpotPlane,
    registration: Registration,
    point: Array,
    blocks: tuple[int, int] = BLOCKS,
) -> Generator[CalibrationStep, None, Wavefront]:
    """Measure all super-pixels in turn against the middle one, focused at a point, in three steps.

    The other pixels send their light to where the SLM reaches no further (a chequerboard of pixels), so
    that the exposure can be long enough for two super-pixels (Cizmar 2010). Only what moves with the
    step counts; it is compared with what the super-pixel makes by geometry, over its whole spot. Rounds
    after the first know the phase within each super-pixel from the one before. Frames: up to 8 for the
    exposure, three a super-pixel, and two that compare the spot with and without correction.
    On a folded bench this is the last patch, with all that the light has met before it.

    Args:
        bench: SLM and camera.
        plane: where the SLM's spots fall.
        registration: of the camera on that plane.
        point: of the plane, where the super-pixels are focused.
        blocks: number of super-pixels, (rows, columns).
    """
    if not np.isfinite(registration.matrix).all():
        return _failed("there is no registration")
    grid = SuperPixelGrid(plane.shape, blocks)
    kernel = plane.kernel(point)
    height, width = plane.shape
    dump = np.pi * ((np.arange(height)[:, None] + np.arange(width)) % 2)
    camera = bench.camera
    exposure_ms = camera.exposure_ms
    window, places = spot_window(camera, plane, registration, point, blocks)
    if len(places) < LEAST_PIXELS:
        return _failed("the super-pixels' spot falls off the camera")
    full = full_scale_counts(camera) - bench.pedestal_counts
    total = EXPOSURE_FRAMES + STEPS * (len(grid.tests)) + 2
    done = 0

    def counts_with(phase: Array) -> Array:
        seen: Array = bench.counts_with(plane.panel(phase))[window]
        return seen

    def pair(block: int, step: float) -> Array:
        phase = dump.copy()
        for which, extra in ((grid.reference, 0.0), (block, step)):
            place = grid.place(which)
            phase[place] = kernel[place] + extra
        return phase

    fringes = np.zeros((len(grid.tests), places.shape[0]), np.complex128)
    try:
        for done in range(EXPOSURE_FRAMES):
            frame = counts_with(pair(grid.neighbour, 0.0))
            fill = float(np.partition(frame.ravel(), -16)[-16]) / full
            message = f"two super-pixels fill {fill:.0%}"
            yield CalibrationStep("wavefront", done, total, message, frame.astype(np.float32))
            if abs(fill - FILL) < 0.15 or not step_towards(camera, fill, FILL):
                break
        for index, block in enumerate(grid.tests):
            for step in range(STEPS):
                angle = 2.0 * np.pi * step / STEPS
                frame = counts_with(pair(block, angle))
                fringes[index] += frame.ravel() * np.exp(-1j * angle)
                done += 1
                message = f"super-pixel {index + 1} of {len(grid.tests)}"
                yield CalibrationStep("wavefront", done, total, message, frame.astype(np.float32))
        if float(np.abs(fringes).max()) < 1e-9:
            return _failed("nothing on the camera moves with the pattern")
        seen = pixel_visibility(plane, grid, registration, point)
        maps = wavefront_maps(plane, grid, kernel, fringes, places, seen)
        if maps.contrast < LEAST_CONTRAST or not maps.held_out < LARGEST_HELD_OUT_RAD:
            return _failed("the super-pixels do not interfere on the camera")
        camera.exposure_ms = float(
            np.clip(camera.exposure_ms * maps.dim(grid), *camera.exposure_range_ms)
        )
        corrected = counts_with(kernel - maps.phase)
        yield CalibrationStep(
            "wavefront", done + 1, total, "corrected", corrected.astype(np.float32)
        )
        plain = counts_with(kernel)
        yield CalibrationStep("wavefront", done + 2, total, "plain", plain.astype(np.float32))
    finally:
        camera.exposure_ms = exposure_ms
    return _judged(plane, maps, kernel, places, corrected, plain, full)


def _judged(
    plane: SpotPlane,
    maps: WavefrontMaps,
    kernel: Array,
    places: Array,
    corrected: Array,
    plain: Array,
    full: float,
) -> Wavefront:
    """Compare the corrected spot's gain in brightness with what the maps foretell."""
    rows, columns = (plane.side(axis, places[:, axis]) for axis in (0, 1))

    def peak(phase: Array) -> float:
        light = maps.amplitude * np.exp(1j * (maps.phase + phase))
        return float((np.abs(((rows @ light) * columns).sum(axis=1)) ** 2).max())

    def seen(frame: Array) -> float:
        return float(np.sort(frame.ravel())[-4:].mean())

    predicted = peak(kernel - maps.phase) / peak(kernel)
    measured = seen(corrected) / max(seen(plain), 1e-9)
    miss = abs(measured / predicted - 1.0)
    light = maps.amplitude * np.exp(1j * maps.phase)
    strehl = float(np.abs(light.sum()) ** 2 / maps.amplitude.sum() ** 2)
    phase = maps.phase - np.average(maps.phase, weights=maps.amplitude**2)
    message = (
        f"wavefront error {maps.phase_sigma:.3f} rad ({maps.held_out:.3f} rad on check pixels); "
        f"the correction makes the spot {measured:.2f} times as bright, predicted {predicted:.2f}"
    )
    verdict = Verdict("pass", message)
    again = "Is the laser steady, and is the phase response calibrated? Run it again."
    if miss > LARGEST_MISS or measured < LEAST_GAIN:
        verdict = Verdict("fail", message, again)
    elif miss > LARGE_MISS or maps.held_out > LARGE_HELD_OUT_RAD:
        verdict = Verdict("warn", message, again)
    if corrected.max() >= full:
        verdict = Verdict("warn", f"{message}; it saturates the camera", "Lower the laser's power.")
    return Wavefront(
        phase,
        maps.amplitude,
        maps.phase_sigma,
        maps.amplitude_sigma,
        maps.held_out,
        strehl,
        miss,
        verdict,
    )


def _failed(reason: str) -> Wavefront:
    nan = float("nan")
    remedy = "Is the laser on, the SLM not frozen, and the registration of this bench?"
    empty = np.full((1, 1), nan)
    return Wavefront(empty, empty, nan, nan, nan, nan, nan, Verdict("fail", reason, remedy))
