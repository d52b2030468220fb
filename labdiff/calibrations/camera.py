"""The routine `camera`: gain, read noise and dead pixels, from which the frames' own noise follows."""

from __future__ import annotations

import dataclasses

import numpy as np

from calibration.camera import CameraFound, measure_camera
from calibration.dark import DarkLevel
from calibration.frame_noise import FrameNoise
from labdiff.calibrations.exposure import FLAT
from labdiff.calibrations.routine import Routine
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


def _measure(calibrated: CalibratedBench) -> Job[CameraFound]:
    bench = calibrated.bench
    bench.show(bench.layout.flat())
    return (
        yield from measure_camera(
            bench.camera,
            calibrated.pedestal_counts,
            taken=calibrated.shared_frames.take(bench, FLAT),
            thorough=calibrated.config.calibration.thorough,
        )
    )


def _apply(calibrated: CalibratedBench, camera: CameraFound) -> None:
    """Correct dead pixels as hot ones are; set the noise of frames from gain and read noise."""
    bench, dark = calibrated.bench, calibrated.dark
    bench.use_saturation(camera.saturation_counts)
    bench.noise = FrameNoise(camera.gain_electrons, camera.read_noise_counts, camera.step_counts)
    defects = np.unique(np.vstack([dark.hot_pixels, camera.dead_pixels]), axis=0)
    bench.dark = dataclasses.replace(dark, hot_pixels=defects)


CAMERA = Routine(
    CameraFound,
    _measure,
    depends_on=(DarkLevel,),
    apply=_apply,
    purpose="imaging",
    needed=False,
    needs=("camera", "laser", "input"),
)
