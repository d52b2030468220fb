"""The routine `registration`: which camera pixel sees which pixel of the output plane."""

from __future__ import annotations

import dataclasses

from calibration.dark import DarkLevel
from calibration.exposure import set_exposure
from calibration.registration import Registration, measure_registration
from calibration.signs import Sign
from labdiff.calibrations.focus_probe import find_focus
from labdiff.calibrations.plausibility import size_over_nominal
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

UNEXPLAINED: set[Sign] = {
    "unknown spots",
    "spots missing",
    "spots beyond the frame",
    "spots astray",
}
"""Signs of a failed registration after which lenses on all patches are looked at."""
OTHER_SIZE = 0.05
"""Share by which the image differs from the bench file's beyond what a relay's magnification does."""


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
    found = yield from measure_registration(observed_slm(calibrated), layout)
    if found.verdict.level == "fail" and set(found.verdict.signs) & UNEXPLAINED:
        return (yield from _with_focus(calibrated, found))
    return found


def _with_focus(calibrated: CalibratedBench, failed: Registration) -> Job[Registration]:
    """Return a failed registration that tells where lenses are in focus, and how large the image is."""
    focus = yield from find_focus(calibrated)
    signs, reason = [*failed.verdict.signs, *focus.signs], f"{failed.verdict.reason}; {focus}"
    if "paths in proportion" in focus.signs:
        layout = calibrated.bench.layout
        longer = dataclasses.replace(layout, gap_mm=(1.0 + focus.share) * layout.gap_mm)
        again = yield from measure_registration(observed_slm(calibrated), longer)
        if again.verdict.level != "fail":
            size = size_over_nominal(again, calibrated.config)
            reason += (
                f"; with lenses of these lengths it is found, and its image {size:.2f} as large"
            )
            signs += ["size of the image"] if abs(size - 1.0) > OTHER_SIZE else []
    verdict = dataclasses.replace(failed.verdict, reason=reason, signs=tuple(signs))
    return dataclasses.replace(failed, verdict=verdict)


def _apply(calibrated: CalibratedBench, registration: Registration) -> None:
    calibrated.bench.use_registration(registration)
    calibrated.measured_registration = registration


REGISTRATION = Routine(
    Registration, _measure, depends_on=(DarkLevel,), apply=_apply, purpose="imaging", needs=PATTERNS
)
