"""Alignment from the data sheet alone: python benchmarks/twin_cold_start.py [--json] [--quick] [--seeds N].

Random mock benches whose tilts are anywhere within 5 mrad and whose gap is anywhere within 5 % of the
data sheet, everything else on as shipped. Each is looked at and aligned as `labdiff calibrate` does it.
A bench counts as found if no tilt that a frame can tell errs by more than 30 urad and the gap by no more
than 0.1 %; one that is not found has to say so.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.claims import claim, finish, options
from calibration.result import CalibrationError
from labdiff.bench.mock_bench import mock_geometry
from labdiff.calibrations.archived import measure_routines
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Event
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.training_session import TrainingSession
from mock_hardware.drift import Drift
from mock_hardware.truth import draw_truth

# A truth is drawn as a normal deviate, clipped at two: these reach 5 mrad and 5 %.
COLD = {"tilt_mrad": 2.5, "mirror_tilt_mrad": 2.5, "gap_error": 0.025}
LARGEST_URAD, LARGEST_PERCENT = 30.0, 0.1


def cold_bench(folder: Path) -> Path:
    """The shipped bench with wider tilts and gap."""
    text = bench_text("mock")[1]
    for key, value in COLD.items():
        text, count = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
        assert count == 1
    path = folder / "cold.toml"
    path.write_text(text, encoding="utf-8")
    return path


def errors(session: TrainingSession, seed: int, moment_s: float) -> tuple[float, float]:
    """Largest error of the tilts, urad, and that of the gap, percent.

    The last bounce's tilt is a shift of the image too, and is left out.
    """
    config, twin = session.calibrated.config, session.calibrated.twin
    truth = draw_truth(mock_geometry(config), config.mock, seed)
    drifted = Drift(config.mock.drift, seed).at(moment_s)
    tilts_rad = truth.tilts_rad + drifted.mirror_rad
    tilts_rad[0] += drifted.beam_rad - drifted.mirror_rad
    away = (twin.planes_tilt_rad().detach().numpy() - tilts_rad)[:-1]
    gap = twin.alignment()["z_gap_mm"] / truth.z_gap_mm - 1.0
    return float(np.abs(away).max() * 1e6), 100.0 * abs(gap)


def one_bench(bench: Path, seed: int) -> dict[str, Any]:
    """Align one bench; what was found, and what was said."""
    request = Request(str(bench), None, TrainingOptions(seed=seed, offline_steps=0))
    session = ExperimentJob(request).session

    def job() -> Generator[Event, None, float]:
        with session.calibrated.bench:
            yield from measure_routines(session.calibrated)
            return session.calibrated.bench.clock.now_s()

    try:
        moment_s = run(job())
    except (CalibrationError, UserError) as error:
        return {"seed": seed, "said": str(error), "found": False}
    tilt_urad, gap_percent = errors(session, seed, moment_s)
    found = tilt_urad <= LARGEST_URAD and gap_percent <= LARGEST_PERCENT
    return {"seed": seed, "tilt_urad": tilt_urad, "gap_percent": gap_percent, "found": found}


def main() -> None:
    """Measure, then print one JSON line."""
    arguments = options(__doc__, seeds=20)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    benches = []
    with tempfile.TemporaryDirectory() as folder:
        bench = cold_bench(Path(folder))
        for seed in range(1 if arguments.quick else arguments.seeds):
            benches.append(one_bench(bench, seed))
            console.print(benches[-1])
    share = float(np.mean([b["found"] for b in benches]))
    silent = sum(not b["found"] and "said" not in b for b in benches)
    claims = [
        claim(f"share of {len(benches)} cold benches found to 30 urad and 0.1 %", share, ">= 0.95"),
        claim("not found and not said", silent, "<= 0"),
    ]
    finish("twin_cold_start", claims, arguments.json, benches=benches)


if __name__ == "__main__":
    main()
