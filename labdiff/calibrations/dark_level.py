"""The routine `dark level`: what the camera counts without light."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from calibration.dark import FEWEST, DarkLevel, measure_dark
from labdiff.calibrations.routine import Findings, Routine, ValidityFinding
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

PROBE_FRAMES = 2
LARGEST_PEDESTAL_CHANGE = 1e-3
"""Largest change of the pedestal for which a dark level stays valid, as a share of full scale."""


def _measure(calibrated: CalibratedBench) -> Job[DarkLevel]:
    bench = calibrated.bench
    bench.find_packing()
    bench.use_saturation(0)  # what was measured with earlier settings holds no longer
    fewest = None if calibrated.config.calibration.thorough else FEWEST
    dark = yield from measure_dark(bench.camera, bench.laser, bench.clock.sleep_s, fewest=fewest)
    return dataclasses.replace(dark, packing_step=float(bench.packing_step))


def _apply(calibrated: CalibratedBench, dark: DarkLevel) -> None:
    calibrated.bench.use_packing(dark.packing_step)
    calibrated.bench.dark = dark


def _probe(
    calibrated: CalibratedBench, known: DarkLevel, findings: Mapping[str, ValidityFinding]
) -> Job[Findings]:
    """Take two frames in the dark."""
    bench = calibrated.bench
    now = yield from measure_dark(
        bench.camera, bench.laser, bench.clock.sleep_s, PROBE_FRAMES, ambient=False
    )
    change = now.pedestal_counts - known.pedestal_at(bench.camera.exposure_ms)
    valid = abs(change) <= LARGEST_PEDESTAL_CHANGE * bench.full_scale_counts
    name = DarkLevel.routine
    reason = f"pedestal moved by {change:+.2f} counts"
    return {name: ValidityFinding(name, "fresh" if valid else "stale", reason)}


DARK_LEVEL = Routine(
    DarkLevel,
    _measure,
    apply=_apply,
    validity_probe=_probe,
    purpose="imaging",
    needs=("camera",),
)
