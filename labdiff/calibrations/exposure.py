"""The routine `exposure`: how long the camera is exposed, and the unit of intensity."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from calibration.dark import DarkLevel
from calibration.exposure import Exposure, set_exposure
from calibration.registration import Registration
from calibration.step import CalibrationStep
from labdiff.calibrations.routine import PATTERNS, Findings, Routine, ValidityFinding
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

FLAT = "flat"
"""Name of a flat SLM among the patterns whose frames are shared."""
FLAT_FILL = 0.30
"""Share of full scale that the flat pattern's brightest pixels get: trained layers focus light."""
LARGEST_POWER_CHANGE = 0.2
"""Beyond it frames get too dark or too bright; below it the unit of light is set anew, and that is all."""


def _measure(calibrated: CalibratedBench) -> Job[Exposure]:
    """Set the exposure for a flat SLM; the unit of intensity is what the twin says of a flat SLM."""
    bench, layout = calibrated.bench, calibrated.bench.layout
    bench.show(layout.flat())
    pedestal = calibrated.pedestal_counts
    exposure = yield from set_exposure(bench.camera, pedestal, FLAT_FILL, bench.laser)
    if exposure.verdict.level == "fail":
        return exposure
    unit = _power_ratio(calibrated) * bench.counts_per_ms_per_unit
    return dataclasses.replace(exposure, counts_per_ms_per_unit=unit)


def _power_ratio(calibrated: CalibratedBench) -> float:
    """Return the mean intensity of a flat SLM over the twin's: 1 if nothing has changed. One frame.

    It is shared if it is of the flat SLM itself, as before there is a pre-compensation.
    """
    bench, layout = calibrated.bench, calibrated.bench.layout
    flat = torch.from_numpy(layout.flat())
    dmd = bench.dmd is not None
    inputs, layers = (torch.ones_like(flat[:1]), flat) if dmd else (flat[:1], flat[1:])
    displayed = calibrated.displayed(inputs, layers)
    frames = bench.acquire(displayed[0].numpy(), displayed[1].numpy())
    if not any(bool(part.any()) for part in displayed):
        calibrated.shared_frames.note(bench, FLAT, frames)
    measured = bench.to_intensity(frames).intensity
    with torch.no_grad():
        modelled = calibrated.twin(*displayed)
    return float(measured.mean() / modelled.mean())


def _apply(calibrated: CalibratedBench, exposure: Exposure) -> None:
    bench = calibrated.bench
    bench.camera.exposure_ms = exposure.exposure_ms
    if 0.0 < exposure.power_mw != bench.laser.power_mw:
        bench.laser.power_mw = exposure.power_mw
    bench.counts_per_ms_per_unit = exposure.counts_per_ms_per_unit
    if exposure.saturation_counts:
        bench.use_saturation(exposure.saturation_counts)


def _probe(
    calibrated: CalibratedBench, known: Exposure, findings: Mapping[str, ValidityFinding]
) -> Job[Findings]:
    """Take one frame of a flat SLM; the unit of intensity follows the power."""
    name = Exposure.routine
    ratio = _power_ratio(calibrated)
    reason = f"power {ratio - 1.0:+.1%}"
    yield CalibrationStep(name, 0, 1, reason)
    if not abs(ratio - 1.0) <= LARGEST_POWER_CHANGE:
        return {name: ValidityFinding(name, "stale", reason)}
    calibrated.bench.counts_per_ms_per_unit *= ratio
    return {name: ValidityFinding(name, "fresh", reason)}


EXPOSURE = Routine(
    Exposure,
    _measure,
    depends_on=(DarkLevel, Registration),
    apply=_apply,
    validity_probe=_probe,
    purpose="imaging",
    needs=PATTERNS,
)
