"""A mirror knocked in mid-run: how soon it is noticed, and what is left of it after the recovery."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.online_checks.bench import Trial, calibrate, laboratory, opened
from labdiff.job import run
from mock_hardware.fault_script import FOR_EVER

TWIN_STEPS, TWIN_RATE, RATE = 120, 0.2, 0.02
BEFORE, AFTER, PATIENCE = 12, 25, 10


@dataclass(frozen=True, slots=True)
class Knock:
    """noticed_after: steps; before, knocked, after: held-out noise MSE. frames: of the recovery."""

    noticed_after: int
    before: float
    knocked: float
    after: float
    frames: int


def knock(seed: int) -> Knock:
    """One bench, whose mirror is turned by 1 mrad."""
    session = opened(calibrate(seed))
    with session.calibrated.bench as bench:
        learnt = Trial(session, "calibrated", TWIN_STEPS, TWIN_RATE)
        for _ in range(TWIN_STEPS):
            learnt.step()
        trial = Trial(session, "online", BEFORE + AFTER + PATIENCE, RATE)
        for _ in range(BEFORE):
            trial.step()
        before = trial.score()
        room = laboratory(session)
        room.world.faults.add("mirror_knocked", room.camera.requests + 1, FOR_EVER)
        knocked, noticed = float("nan"), 0
        for count in range(1, PATIENCE + 1):
            error, look = trial.step()
            knocked = error if count == 1 else knocked
            if look is not None and look.change_point:
                noticed = count
                break
        frames = bench.frames_taken
        run(trial.forward.realign())
        frames = bench.frames_taken - frames
        for _ in range(AFTER):
            trial.step()
        after = trial.score()
        trial.close()
    return Knock(noticed or PATIENCE + 1, before, knocked, after, frames)
