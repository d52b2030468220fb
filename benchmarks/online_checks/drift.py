"""An hour of drift: online learning beside a twin, and a pre-compensation, that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.online_checks.bench import Trial, calibrate, opened
from labdiff.job import run
from labdiff.training.methods import Method

HOUR_S = 3600.0
BATCH, TWIN_STEPS, TWIN_RATE = 16, 300, 0.2
RATE = 0.005
"""Radians a step, for layers that have learnt and now only follow: at 0.02 the steps' own scatter moves
the error by 8 %, and hides what drift does to it."""
SCORED = 6


@dataclass(frozen=True, slots=True)
class Hour:
    """Held-out noise MSE through the hour, online and frozen, and how often a change was called sudden."""

    online: list[float]
    frozen: list[float]
    alarms: int

    @staticmethod
    def worst_over_best(errors: list[float]) -> float:
        """How much worse it ever got, after it had been best."""
        best, worst = errors[0], 1.0
        for error in errors:
            best = min(best, error)
            worst = max(worst, error / best)
        return worst


def hour(seed: int, steps: int, scores: int) -> Hour:
    """One bench; steps are spread evenly over the hour, and the bench drifts between them."""
    known = calibrate(seed)
    session = opened(known, batch=BATCH)
    with session.calibrated.bench:
        learnt = Trial(session, "calibrated", TWIN_STEPS, TWIN_RATE)
        for _ in range(TWIN_STEPS):
            learnt.step()
    layers = session.odu.state_dict()
    errors: dict[str, list[float]] = {}
    alarms = 0
    methods: tuple[Method, ...] = ("online", "physics_aware")
    for method in methods:
        session = opened(known, batch=BATCH)
        session.odu.load_state_dict(layers)
        with session.calibrated.bench as bench:
            trial = Trial(session, method, steps, RATE)
            began_s = bench.clock.now_s()
            found: list[float] = []
            for step in range(steps):
                bench.clock.sleep_s(max(0.0, began_s + HOUR_S * step / steps - bench.clock.now_s()))
                look = trial.step()[1]
                if look is not None and look.change_point:
                    alarms += 1
                    run(trial.forward.realign())
                if step % (steps // scores) == 0:
                    found.append(trial.score(SCORED))
            errors[method] = found
            trial.close()
    return Hour(errors["online"], errors["physics_aware"], alarms)
