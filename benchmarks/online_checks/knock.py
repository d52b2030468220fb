"""A mirror knocked in mid-run: how soon it is noticed, and what is left of it after the recovery."""

from __future__ import annotations

import dataclasses

from benchmarks.calibrated import bench_file, calibrate
from benchmarks.claims import claim
from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.online_checks.bench import Trial, opened_session
from benchmarks.parts import Outcome, Setting
from labdiff.job import run
from mock_hardware.fault_script import FOR_EVER

TWIN_RATE, RATE = 0.2, 0.02


@dataclasses.dataclass(frozen=True, slots=True)
class Knock:
    """noticed_after: steps; before, knocked, after: held-out noise MSE. frames: of the recovery."""

    noticed_after: int
    before: float
    knocked: float
    after: float
    frames: int


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """Steps on the twin first, then before and after the knock; steps until it must be noticed."""

    twin_steps: int
    before: int
    after: int
    patience: int
    held_out: int


def knock(text: str, seed: int, amounts: Amounts) -> Knock:
    """Train on one bench whose mirror is turned by 1 mrad, and recover.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        amounts: How much is trained and scored.
    """
    with opened_session(calibrate(text, seed)) as session:
        bench = session.calibrated.bench
        learnt = Trial(session, "calibrated", amounts.twin_steps, TWIN_RATE)
        for _ in range(amounts.twin_steps):
            learnt.step()
        steps = amounts.before + amounts.after + amounts.patience
        trial = Trial(session, "online", steps, RATE)
        for _ in range(amounts.before):
            trial.step()
        before = trial.score(amounts.held_out)
        room = laboratory_of(bench)
        room.world.faults.add("mirror_knocked", room.camera.requests + 1, FOR_EVER)
        knocked, noticed = 0.0, 0
        for count in range(1, amounts.patience + 1):
            error, refinement = trial.step()
            knocked = error if count == 1 else knocked
            if refinement.change_point:
                noticed = count
                break
        frames = bench.frames_taken
        run(trial.forward.realign())
        frames = bench.frames_taken - frames
        for _ in range(amounts.after):
            trial.step()
        after = trial.score(amounts.held_out)
        trial.close()
    return Knock(noticed or amounts.patience + 1, before, knocked, after, frames)


def measure(setting: Setting) -> Outcome:
    """Knock the mirror of every bench."""
    text = bench_file(setting)
    amounts = Amounts(
        setting.amount("knock: steps on the twin first", smoke=1, quick=15, full=120),
        setting.amount("knock: steps before it", smoke=1, quick=8, full=12),
        setting.amount("knock: steps after the recovery", smoke=1, quick=8, full=25),
        setting.amount("knock: steps until it must be noticed", smoke=1, quick=5, full=10),
        setting.amount("knock: held-out batches a score", smoke=1, quick=2, full=12),
    )
    knocks = []
    for seed in setting.benches(10):
        knocks.append(knock(text, seed, amounts))
        setting.say(str(knocks[-1]))
    title = f"mirror knocked by 1 mrad, {len(knocks)} benches, worst"
    over = max(found.after / found.before for found in knocks)
    claims = [
        claim(f"{title}: steps until noticed", max(k.noticed_after for k in knocks), "<= 5"),
        claim(f"{title}: MSE after over before", over, "<= 1.1"),
    ]
    return Outcome(claims, {"knocks": [dataclasses.asdict(found) for found in knocks]})
