"""An hour of drift: online learning beside a twin, and a pre-compensation, that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

from online_checks.bench import Trial, calibrate, opened

HOUR_S = 3600.0
TWIN_STEPS, TWIN_RATE, RATE = 120, 0.2, 0.02
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
    errors: dict[str, list[float]] = {}
    alarms = 0
    for method in ("online", "physics_aware"):
        session = opened(known)
        with session.bench as bench:
            learnt = Trial(session, "calibrated", TWIN_STEPS, TWIN_RATE)
            for _ in range(TWIN_STEPS):
                learnt.step()
            trial = Trial(session, method, steps, RATE)  # type: ignore[arg-type]
            began_s = bench.clock.now_s()
            found: list[float] = []
            for step in range(steps):
                bench.clock.sleep_s(max(0.0, began_s + HOUR_S * step / steps - bench.clock.now_s()))
                look = trial.step()[1]
                alarms += look is not None and look.sudden
                if step % (steps // scores) == 0:
                    found.append(trial.score(SCORED))
            errors[method] = found
            trial.close()
    return Hour(errors["online"], errors["physics_aware"], alarms)
