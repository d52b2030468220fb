"""An hour of drift: online learning beside a twin, and a pre-compensation, that stay as they are."""

from __future__ import annotations

import dataclasses

from benchmarks.calibrated import bench_file, calibrate
from benchmarks.claims import claim
from benchmarks.online_checks.bench import Trial, opened_session
from benchmarks.parts import Outcome, Setting
from labdiff.job import run
from labdiff.training.methods import Method

FIRST_SEED = 500
"""Seeds below are for building."""
HOUR_S = 3600.0
BATCH, TWIN_RATE = 16, 0.2
RATE = 0.005
"""Radians a step, for layers that have learnt and now only follow: at 0.02 the steps' own scatter moves
the error by 8 %, and hides what drift does to it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hour:
    """Held-out noise MSE through the hour, online and frozen, and how many change points were found."""

    online: list[float]
    frozen: list[float]
    alarms: int


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """Steps on the twin before the hour, steps and scores within it, held-out batches a score."""

    twin_steps: int
    steps: int
    scores: int
    held_out: int


def worst_over_best(errors: list[float]) -> float:
    """Return how much worse an error ever got, after it had been best."""
    best, worst = errors[0], 1.0
    for error in errors:
        best = min(best, error)
        worst = max(worst, error / best)
    return worst


def hour(text: str, seed: int, amounts: Amounts) -> Hour:
    """Train on one bench for an hour, over which the steps are spread: it drifts between them.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        amounts: How much is trained and scored.
    """
    known = calibrate(text, seed)
    with opened_session(known, batch=BATCH) as session:
        learnt = Trial(session, "calibrated", amounts.twin_steps, TWIN_RATE)
        for _ in range(amounts.twin_steps):
            learnt.step()
    layers = session.odu.state_dict()
    errors: dict[str, list[float]] = {}
    alarms = 0
    methods: tuple[Method, ...] = ("online", "physics_aware")
    for method in methods:
        with opened_session(known, batch=BATCH) as session:
            session.odu.load_state_dict(layers)
            trial = Trial(session, method, amounts.steps, RATE)
            clock = session.calibrated.bench.clock
            began_s = clock.now_s()
            errors[method] = []
            for step in range(amounts.steps):
                due_s = began_s + HOUR_S * step / amounts.steps
                clock.sleep_s(max(0.0, due_s - clock.now_s()))
                if trial.step()[1].change_point:
                    alarms += 1
                    run(trial.forward.realign())
                if step % (amounts.steps // amounts.scores) == 0:
                    errors[method].append(trial.score(amounts.held_out))
            trial.close()
    return Hour(errors["online"], errors["physics_aware"], alarms)


def measure(setting: Setting) -> Outcome:
    """Train through a virtual hour on every bench."""
    text = bench_file(setting)
    amounts = Amounts(
        setting.amount("drift: steps on the twin before the hour", smoke=1, quick=30, full=300),
        setting.amount("drift: steps in the hour", smoke=2, quick=8, full=120),
        setting.amount("drift: scores in the hour", smoke=2, quick=4, full=20),
        setting.amount("drift: held-out batches a score", smoke=1, quick=3, full=6),
    )
    hours = []
    for number in setting.benches(5):
        hours.append(hour(text, FIRST_SEED + number, amounts))
        setting.say(str(hours[-1]))
    online = [worst_over_best(found.online) for found in hours]
    frozen = [worst_over_best(found.frozen) for found in hours]
    title = f"an hour of drift, {len(hours)} benches"
    claims = [
        claim(f"{title}, worst: online MSE over its best", max(online), "<= 1.05"),
        claim(f"{title}, least: frozen MSE over its best", min(frozen), ">= 1.1"),
        claim(f"{title}: false alarms", float(sum(found.alarms for found in hours)), "<= 0"),
    ]
    return Outcome(claims, {"hours": [dataclasses.asdict(found) for found in hours]})
