"""Cold starts: tilts up to 6 mrad and gaps up to 6 % off the data sheet, aligned from one call.

python benchmarks/twin_cold_start.py [--json] [--quick] [--seeds N]. The shipped mock bench with wider
tilts and gap, everything else at its defaults; no warm start. What was found is compared with the
mock's truth; a bench that is not found has to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from benchmarks.calibrated import Calibrated, bench_file, calibrate, opened
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts
from calibration.result import CalibrationError
from labdiff.bench.mock_bench import mock_geometry
from labdiff.errors import UserError
from labdiff.sweep.bench_overrides import override_values
from mock_hardware.drift import Drift
from mock_hardware.truth import draw_truth
from twin.digital_twin import DigitalTwin

COLD = {
    "mock.beam.tilt_mrad": 3.0,
    "mock.cavity.mirror_tilt_mrad": 3.0,
    "mock.cavity.gap_error": 0.03,
}
"""Deviations of tilts and gap: a truth is a normal deviate, clipped at two: up to 6 mrad and 6 %."""
LARGEST_URAD, LARGEST_PERCENT = 25.0, 0.08
FIRST_SEED = 500
"""Seeds below are for building."""


class Aligned(TypedDict, total=False):
    """What was found of one bench, or what was reported instead."""

    seed: int
    found: bool
    reported: str
    tilt_urad: float
    gap_percent: float


def errors(known: Calibrated, twin: DigitalTwin) -> tuple[float, float]:
    """Return the largest error of the tilts, urad, and that of the gap, percent.

    The last bounce's tilt is a shift of the image too, and is left out.
    """
    config, seed = known.config, known.seed
    truth = draw_truth(mock_geometry(config), config.mock, seed)
    drifted = Drift(config.mock.drift, seed).at(known.now_s)
    tilts_rad = truth.tilts_rad + drifted.mirror_rad
    tilts_rad[0] += drifted.beam_rad - drifted.mirror_rad
    away = (twin.planes_tilt_rad().detach().numpy() - tilts_rad)[:-1]
    gap = twin.alignment()["z_gap_mm"] / truth.z_gap_mm - 1.0
    return float(np.abs(away).max() * 1e6), 100.0 * abs(gap)


def align(text: str, seed: int) -> Aligned:
    """Align one bench; return what was found, or what was reported."""
    try:
        known = calibrate(text, seed)
    except (CalibrationError, UserError) as error:
        return {"seed": seed, "found": False, "reported": str(error)}
    with opened(known) as calibrated:
        tilt_urad, gap_percent = errors(known, calibrated.twin)
    found = tilt_urad <= LARGEST_URAD and gap_percent <= LARGEST_PERCENT
    return {"seed": seed, "found": found, "tilt_urad": tilt_urad, "gap_percent": gap_percent}


def measure(setting: Setting) -> Outcome:
    """Align random benches."""
    text = bench_file(setting)
    if setting.smoke:
        setting.leave_out("tilts and gap beyond the expected")
    else:
        text = override_values(text, COLD)
    benches = []
    for number in setting.benches(40):
        benches.append(align(text, FIRST_SEED + number))
        setting.say(str(benches[-1]))
    share = float(np.mean([bench["found"] for bench in benches]))
    silent = sum(not bench["found"] and "reported" not in bench for bench in benches)
    claims = [
        claim(
            f"share of {len(benches)} cold benches found to 25 urad and 0.08 %", share, ">= 0.95"
        ),
        claim("not found and not reported", silent, "<= 0"),
    ]
    return Outcome(claims, {"benches": benches})


PARTS: dict[str, Part] = {"cold_start": measure}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS, seeds=True).parse_args(arguments)
    run_parts("twin_cold_start", PARTS, given)


if __name__ == "__main__":
    main()
