"""Angles by ray optics: where a lens on one plane after the other throws its light.

Far from the truth, frames of a folded bench resemble any other frames, and no fit finds its way. A lens
of the remaining path's focal length on plane k makes a spot on the output plane, whatever the light
before it does, and the spot's place is its angle behind that plane, theta_k. From the last plane but one
backwards: the planes behind k are tilted by what was found for them, so that the light behind k + 1 goes
straight, and the spot is off by one gap times theta_k. The last plane's own angle cannot be separated from
the registration, which was measured with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from calibration.exposure import LONGEST_STEP, SATURATED, STRIDE
from calibration.saturation import BRIGHTEST
from calibration.step import CalibrationStep
from labdiff.bench.clipping import clipped_light
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

Array = npt.NDArray[np.float64]
SPOT_PX = 1.5
"""Blur before the brightest place is looked for."""
WINDOW_PX = 6
UNCLEAR_STEP = 0.25
"""Factor of the exposure of a spot that saturates its pixels, while those around it do not."""
SPOT_FILL, LEAST_FILL = 0.2, 0.03
"""Share of full scale of the pixels around a spot's peak, which is many times as bright: aimed at, and
enough."""
CLEAR_SHARE, MOST_FRAMES = 0.02, 10
"""Share of the light on saturated pixels of a clear spot, and frames after which it is taken as it is."""
LEAST_CONTRAST = 4.0
"""A spot's peak over the mean of the frame: less is no spot."""


@dataclass(frozen=True, slots=True)
class Rays:
    """theta_rad: (N, 2) angle (x, y) of the light behind the planes 0 ... N - 1, NaN where not found.

    A DMD can show no lens: on such a bench the first tilt is taken to be like the others.
    """

    theta_rad: Array

    @property
    def found(self) -> bool:
        """Whether the angle of every plane was measured."""
        return bool(np.isfinite(self.theta_rad).all())


def trace_rays(calibrated: CalibratedBench) -> Job[Rays]:
    """Find each plane's angle, with a frame or two a plane and some for the exposure, which is put back."""
    bench, config = calibrated.bench, calibrated.config
    assert bench.dark is not None
    dmd = config.input.kind == "dmd"
    height, width = config.cavity.patch_shape
    exposure_ms = bench.camera.exposure_ms
    theta = np.full((config.layers, 2), np.nan)
    try:
        for plane in range(config.layers - 1, 0 if dmd else -1, -1):
            patches = _patches(calibrated, plane, theta)
            bench.show(patches[1:] if dmd else patches)
            yield from _exposed(calibrated, plane)
            inputs = np.ones_like(patches[:1]) if dmd else patches[:1]
            light = calibrated.measure(torch.from_numpy(inputs), torch.from_numpy(patches[1:]))
            place = spot(light[0].numpy())
            if place is None:
                break
            away_px = place - (np.array([width, height]) - 1.0) / 2.0
            # A positive angle sends light towards negative x.
            theta[plane] = -away_px * config.slm.pixel_pitch_um * 1e-3 / config.gap_mm
    finally:
        bench.camera.exposure_ms = exposure_ms
    if dmd and len(theta) > 2:
        theta[0] = theta[1] - np.diff(theta[1:], axis=0).mean(axis=0)
    return Rays(theta)


def _exposed(calibrated: CalibratedBench, plane: int) -> Job[None]:
    """Change the exposure until a spot is bright and clear; that of the plane before is tried first.

    How bright it is does not matter much, unlike in `set_exposure`: most spots take one frame.
    """
    camera, full = calibrated.bench.camera, calibrated.bench.full_scale_counts
    for index in range(MOST_FRAMES):
        frame, pedestal = camera.get_frame(), calibrated.pedestal_counts
        fill = float(np.quantile(frame.pixels, BRIGHTEST) - pedestal) / (full - pedestal)
        clear = clipped_light(frame) <= CLEAR_SHARE
        message = f"spot of plane {plane}: {camera.exposure_ms:.3g} ms fills {fill:.0%}"
        yield CalibrationStep(
            "alignment", index, index + 1, message, frame.pixels.astype(np.float32)
        )
        if clear and fill >= LEAST_FILL:
            return
        if fill > SATURATED:
            factor = 1.0 / STRIDE
        else:
            factor = min(SPOT_FILL / max(fill, 1e-9), LONGEST_STEP) if clear else UNCLEAR_STEP
        before_ms = camera.exposure_ms
        camera.exposure_ms = float(np.clip(factor * before_ms, *camera.exposure_range_ms))
        if camera.exposure_ms == before_ms:
            return


def start_from(calibrated: CalibratedBench, rays: Rays) -> None:
    """Give the twin what the rays tell; what they leave open stays as it is."""
    if not rays.found:
        return
    twin, config = calibrated.twin, calibrated.config
    steps = np.diff(rays.theta_rad, axis=0)
    mirror = steps.mean(axis=0) if len(steps) else np.zeros(2)
    bounces = np.concatenate([steps - mirror, np.zeros((1, 2))])
    last = rays.theta_rad[-1] + mirror
    values = twin.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor(1e3 * rays.theta_rad[0]).float()
    values["d_alpha_mirror_mrad"] = torch.tensor(1e3 * mirror).float()
    values["bounce_tilt_mrad"] = torch.tensor(1e3 * bounces).float()
    # The registration was measured with the last angle in it.
    shift_px = -last * config.gap_mm / (config.slm.pixel_pitch_um * 1e-3)
    values["output_shift_px"] = torch.tensor(shift_px).float()
    twin.load_alignment(values)


def spot(light: npt.NDArray[np.floating]) -> Array | None:
    """Return (x, y) of the brightest spot of an image (h, w); None if there is none."""
    smooth = ndimage.gaussian_filter(np.asarray(light, np.float64), SPOT_PX)
    if smooth.max() < LEAST_CONTRAST * max(float(smooth.mean()), 1e-12):
        return None
    row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
    top, left = max(row - WINDOW_PX, 0), max(column - WINDOW_PX, 0)
    near = smooth[top : row + WINDOW_PX + 1, left : column + WINDOW_PX + 1]
    weights = np.clip(near - 0.5 * smooth.max(), 0.0, None)
    y, x = np.mgrid[: near.shape[0], : near.shape[1]]
    place: Array = np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()
    place += np.array([left, top])
    return place


def _patches(calibrated: CalibratedBench, plane: int, theta: Array) -> npt.NDArray[np.float32]:
    """Return a lens on a plane, and behind it what straightens the light, (N + 1, h, w)."""
    config, layout = calibrated.config, calibrated.bench.layout
    height, width = config.cavity.patch_shape
    layers = config.layers
    patches = np.zeros((layers + 1, height, width), np.float32)
    path_mm = (layers + 1 - plane) * config.gap_mm
    patches[plane] = layout.lens((height - 1) / 2, (width - 1) / 2, path_mm)
    turns = np.zeros((layers + 1, 2))
    if plane + 1 < layers:
        turns[plane + 1] = -theta[plane + 1]
        turns[plane + 2 : layers] = -np.diff(theta[plane + 1 :], axis=0)
        # The last plane gives back the angle that the registration knows.
        turns[layers] = theta[layers - 1]
    k = 2e6 * np.pi / config.source.wavelength_nm * config.slm.pixel_pitch_um * 1e-3
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    for patch, (ax, ay) in zip(patches, turns, strict=True):
        patch -= (k * (np.sin(ax) * x + np.sin(ay) * y)).astype(np.float32)
    return patches
