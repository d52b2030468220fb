"""Model-free peers at equal frames: what each method reaches on the bench for the light it took."""

from __future__ import annotations

from statistics import median

from benchmarks.calibrated import calibrate
from benchmarks.claims import claim
from benchmarks.online_checks.bench import BATCH, Trial, opened_session
from benchmarks.online_checks.rays import FIRST_SEED, GAP_MM, LAYERS, SIDE_PX
from benchmarks.online_checks.regimes import RATE, TWIN_RATE
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from labdiff.training.methods import FRAMES_AN_IMAGE, Method

METHODS: tuple[Method, ...] = ("online", "physics_aware", "spsa", "policy_gradient")
RATES = {"spsa": (0.005, 0.02), "policy_gradient": (0.005, 0.02)}
"""Radians a step of the peers; the better of both counts, in their favour."""


def compare(text: str, seed: int, twin_steps: int, frames: int, held_out: int) -> dict[str, float]:
    """Return the noise MSE of held-out images on one bench: at the start, and after each method.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        twin_steps: Steps on the calibrated twin with which all methods start.
        frames: Frames of training that each method may take.
        held_out: Batches of a score.
    """
    known = calibrate(text, seed)
    with opened_session(known, batch=BATCH) as session:
        first = Trial(session, "calibrated", twin_steps, TWIN_RATE)
        for _ in range(twin_steps):
            first.step()
        start = {name: value.clone() for name, value in session.odu.state_dict().items()}
        unchanged = Trial(session, "physics_aware", 1, RATE)
        found = {"start": unchanged.score(held_out)}
        unchanged.close()
    for method in METHODS:
        steps = max(frames // (BATCH * FRAMES_AN_IMAGE.get(method, 1)), 1)
        reached = []
        for rate in RATES.get(method, (RATE,)):
            with opened_session(known) as session:
                session.odu.load_state_dict(start)
                trial = Trial(session, method, steps, rate)
                for _ in range(steps):
                    trial.step()
                # Of the last layers, without early stopping: where the start was better, it shows.
                reached.append(trial.score(held_out))
                trial.close()
        found[method] = min(reached)
    return found


def measure(setting: Setting) -> Outcome:
    """Train by every method from the same layers, with the same number of frames."""
    changes = {"cavity.z_gap_mm": GAP_MM, "mock.samples_per_pixel": 2}
    text = small_bench_text(SIDE_PX, LAYERS, changes)
    twin_steps = setting.amount("peers: steps on the twin first", smoke=1, quick=20, full=40)
    frames = setting.amount("peers: frames a method", smoke=2 * BATCH, quick=200, full=800)
    held_out = setting.amount("peers: held-out batches a score", smoke=1, quick=8, full=12)
    benches = {}
    for seed in setting.benches(3):
        benches[FIRST_SEED + seed] = compare(text, FIRST_SEED + seed, twin_steps, frames, held_out)
        setting.say(f"{FIRST_SEED + seed}: {benches[FIRST_SEED + seed]}")
    claims = [
        claim(
            f"{frames} frames, {len(benches)} benches, median: {method} MSE over online's",
            median(found[method] / found["online"] for found in benches.values()),
            ">= 1",
        )
        for method in METHODS[1:]
    ]
    return Outcome(claims, {"benches": {str(seed): found for seed, found in benches.items()}})
