"""From rays alone: a bench whose twin was never fitted, and how soon online learning makes up for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.calibrated import Calibrated, calibrate
from benchmarks.claims import claim
from benchmarks.online_checks.bench import BATCH, Trial, opened_session, options
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from labdiff.bench.open import open_bench
from labdiff.calibrations.ray_alignment import start_from, trace_rays
from labdiff.calibrations.routines import routine
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession

FIRST_SEED = 500
"""First seed that is reported: smaller ones were used in building."""
RATE = 0.1
SIDE_PX, LAYERS, GAP_MM = 60, 2, 3.42
STEPS, FIRST = 25, 10
"""Steps of a run, and those within which D has to be at its floor."""


@dataclasses.dataclass(frozen=True, slots=True)
class FromRays:
    """Figures of one bench: D over its floor at the start and after ten steps, online from rays alone.

    over_calibrated: the same after ten steps where the calibration was complete. mse, calibrated,
    physics_aware: held-out noise MSE after all steps: from rays; after a full calibration, online; from
    rays, physics-aware. frames: of the first ten steps, probes and all.
    """

    before: float
    over: float
    over_calibrated: float
    mse: float
    calibrated: float
    physics_aware: float
    frames: int


def bench_text() -> str:
    """Return the bench file: small, with two samples a pixel, which one sample cannot follow."""
    changes = {"cavity.z_gap_mm": GAP_MM, "mock.samples_per_pixel": 2}
    return small_bench_text(SIDE_PX, LAYERS, changes)


@contextmanager
def opened_after_rays(known: Calibrated) -> Iterator[TrainingSession]:
    """Open a bench with all its calibrations but the alignment: its tilts are measured by rays."""
    calibrated = CalibratedBench(known.config, open_bench(known.config, known.seed))
    with calibrated.bench as bench:
        for name, result in known.found.items():
            if name != "alignment":
                routine(name).apply(calibrated, result)
        bench.clock.sleep_s(known.now_s - bench.clock.now_s())
        start_from(calibrated, run(trace_rays(calibrated)))
        calibrated.precompensate()
        yield TrainingSession.create(calibrated, options(known.seed, batch=BATCH))


def learnt(trial: Trial, steps: int, held_out: int) -> tuple[list[float], float, int]:
    """Return D over its floor at each step, the held-out MSE, and the frames of the first steps."""
    bench = trial.session.calibrated.bench
    began, frames = bench.frames_taken, 0
    over = []
    for step in range(steps):
        refinement = trial.step()[1]
        over.append(refinement.discrepancy / refinement.noise_floor)
        if step < FIRST:
            frames = bench.frames_taken - began
    mse = trial.score(held_out)
    trial.close()
    return over, mse, frames


def from_rays(seed: int, steps: int, held_out: int) -> FromRays:
    """Train on one bench: online from rays, online after a calibration, physics-aware from rays.

    Args:
        seed: Of the bench's hidden truth.
        steps: Of each.
        held_out: Batches of a score.
    """
    known = calibrate(bench_text(), seed)
    with opened_after_rays(known) as session:
        over, mse, frames = learnt(Trial(session, "online", steps, RATE), steps, held_out)
    with opened_session(known) as session:
        whole, calibrated, _ = learnt(Trial(session, "online", steps, RATE), steps, held_out)
    with opened_after_rays(known) as session:
        trial = Trial(session, "physics_aware", steps, RATE)
        physics_aware = learnt(trial, steps, held_out)[1]
    last = min(FIRST, steps) - 1
    return FromRays(over[0], over[last], whole[last], mse, calibrated, physics_aware, frames)


def measure(setting: Setting) -> Outcome:
    """Train from rays alone on every bench."""
    steps = setting.amount("rays: steps", smoke=2, quick=STEPS, full=STEPS)
    held_out = setting.amount("rays: held-out batches a score", smoke=1, quick=8, full=12)
    benches = []
    for seed in setting.benches(10):
        benches.append(from_rays(FIRST_SEED + seed, steps, held_out))
        setting.say(f"{FIRST_SEED + seed}: {benches[-1]}")
    title = f"from rays alone, {len(benches)} benches"
    over = max(found.over for found in benches)
    mse = max(found.mse / found.calibrated for found in benches)
    aware = median(found.physics_aware / found.mse for found in benches)
    claims = [
        claim(f"{title}, worst: D over its floor after {FIRST} steps", over, "<= 1.5"),
        claim(f"{title}, worst: MSE over that after a full calibration", mse, "<= 1.02"),
        claim(f"{title}, median: physics-aware MSE over online's", aware, ">= 1.02"),
    ]
    return Outcome(claims, {"benches": [dataclasses.asdict(found) for found in benches]})
