"""Automatic exposure at the press of a button: for what stands on the SLM, by the brightest pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.engine.status import ExposureFound
from labdiff.errors import UserError

FILL = 0.8
"""Share of full scale that the brightest pixel is brought to."""
NEAR = 0.06
"""Share of full scale by which the brightest pixel may miss that."""
MOST_FRAMES = 12
DARK_FILL = 0.02
"""Fill above the darkest pixel below which a frame only says that it is too dark."""
STEP = 8.0
"""Factor of the exposure where a frame only says that it is too bright or too dark."""
APPLIED = 0.02
"""Share by which a frame's exposure may differ from the one that was set; else it is an older frame's."""
LASER_OFF = "the laser is off: switch it on before an exposure is found"


def find_exposure(bench: Bench, show_frame: Callable[[Frame], None]) -> ExposureFound:
    """Set the exposure at which the brightest pixel is at about 80 % of full scale, and none is clipped.

    Hot pixels that the calibration found do not count. Where no exposure of the camera does, the nearest
    one is set, and the result says what would help.

    Args:
        bench: An open bench whose laser is on.
        show_frame: Called with every frame.

    Raises:
        UserError: If the laser is off, or goes off meanwhile.
        DeviceError: If a device fails.
    """
    camera = bench.camera
    low_ms, high_ms = camera.exposure_range_ms
    too_short_ms, too_long_ms = 0.0, float("inf")
    exposure_ms = camera.exposure_ms
    for number in range(1, MOST_FRAMES + 1):
        if not bench.laser.emission:
            raise UserError(LASER_OFF)
        frame = _frame(bench)
        show_frame(frame)
        peak, floor = _peak_and_floor(bench, frame)
        fill = peak / bench.full_scale_counts
        if fill < 1.0 and abs(fill - FILL) <= NEAR:
            return ExposureFound(exposure_ms, fill, bench.laser.power_mw, number)
        if fill > FILL:
            too_long_ms = min(too_long_ms, exposure_ms)
        else:
            too_short_ms = max(too_short_ms, exposure_ms)
        if fill >= 1.0:
            wanted_ms = exposure_ms / STEP
        elif fill - floor / bench.full_scale_counts < DARK_FILL:
            wanted_ms = exposure_ms * STEP
        else:
            wanted_ms = exposure_ms * (FILL * bench.full_scale_counts - floor) / (peak - floor)
        if not too_short_ms < wanted_ms < too_long_ms:
            wanted_ms = (too_short_ms * too_long_ms) ** 0.5
        wanted_ms = min(max(wanted_ms, low_ms), high_ms)
        if wanted_ms == exposure_ms:
            break
        camera.exposure_ms = wanted_ms
        exposure_ms = camera.exposure_ms
    return ExposureFound(exposure_ms, fill, bench.laser.power_mw, number, _remedy(fill))


def _frame(bench: Bench) -> Frame:
    """Return a frame of the exposure that is set: some cameras apply it only from the second one on."""
    frame = bench.camera.get_frame()
    if abs(frame.exposure_ms / bench.camera.exposure_ms - 1.0) > APPLIED:
        frame = bench.camera.get_frame()
    return frame


def _peak_and_floor(bench: Bench, frame: Frame) -> tuple[float, float]:
    """Return the counts of the brightest good pixel, and of none of the light."""
    pixels = frame.pixels
    if bench.dark is None:
        return float(pixels.max()), float(pixels.min())
    good = np.ones(pixels.shape, bool)
    bench.dark.forget_hot(good[None], frame.roi)
    return float(pixels[good].max(initial=0)), bench.dark.pedestal_at(frame.exposure_ms)


def _remedy(fill: float) -> str:
    if fill >= 1.0:
        return "pixels are clipped at the shortest exposure: lower the power, or attenuate the beam"
    if fill < FILL - NEAR:
        return "no longer exposure is there: raise the power, or open the beam"
    return "the light changes from frame to frame: no exposure brings it nearer"
