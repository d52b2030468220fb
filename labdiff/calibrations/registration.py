"""The routine `registration`: which camera pixel sees which pixel of the output plane."""

from __future__ import annotations

from calibration.dark import DarkLevel
from calibration.exposure import set_exposure
from calibration.registration import Registration, measure_registration
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench


def _measure(calibrated: CalibratedBench) -> Job[Registration]:
    bench, layout = calibrated.bench, calibrated.bench.layout
    pedestal = calibrated.pedestal_counts
    bench.camera.roi = bench.whole_sensor
    open_modulator(calibrated)
    patches = layout.flat()
    patches[-1] = layout.lens((layout.patch_shape[0] - 1) / 2, (layout.patch_shape[1] - 1) / 2)
    bench.show(patches)
    focused = yield from set_exposure(bench.camera, pedestal, laser=bench.laser)
    focused.verdict.require("exposure")
    if focused.saturation_counts:
        bench.use_saturation(focused.saturation_counts)
    return (yield from measure_registration(observed_slm(calibrated), layout))


def _apply(calibrated: CalibratedBench, registration: Registration) -> None:
    calibrated.bench.use_registration(registration)
    calibrated.measured_registration = registration


REGISTRATION = Routine(
    Registration, _measure, depends_on=(DarkLevel,), apply=_apply, purpose="imaging", needs=PATTERNS
)
