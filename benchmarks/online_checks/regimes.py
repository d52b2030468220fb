"""Where frames are worth their time: online learning beside further steps on the twin and physics-aware."""

from __future__ import annotations

import dataclasses
import time
from statistics import median

from benchmarks.calibrated import calibrate
from benchmarks.claims import claim
from benchmarks.online_checks.bench import BATCH, LAYER_SET, Trial, opened_session
from benchmarks.online_checks.rays import FIRST_SEED, GAP_MM, LAYERS, SIDE_PX
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from labdiff.training.early_stopping import LayerCandidates
from labdiff.training.methods import Method

TWIN_RATE, RATE = 0.2, 0.05
"""Radians a step: of the layers with which all methods start, and of the methods."""
TWIN_STEPS = 8
"""Steps of online learning on its twin after each on the bench; further steps are as many as all these."""
METHODS: tuple[Method, ...] = ("further", "physics_aware", "online")


NOISE = 0.01
"""Share of a score that noise and drift move, by which a run may seem worse than it was."""


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """Held-out noise MSE on one bench after each method's steps; D and its floor at online's end.

    before: by method, of the layers with which it began, measured right after it. cpu_s: of each method's
    steps.
    """

    further: float
    physics_aware: float
    online: float
    before: dict[str, float]
    d: float
    floor: float
    cpu_s: dict[str, float]

    @property
    def worse(self) -> int:
        """Return how many of the runs on the bench ended worse than they began."""
        ended = {"physics_aware": self.physics_aware, "online": self.online}
        return sum(mse > (1.0 + NOISE) * self.before[name] for name, mse in ended.items())


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """Steps on the calibrated twin first, steps of each method on the bench, held-out batches a score.

    twin_steps_online: of online learning on its twin, after each on the bench.
    """

    twin_steps: int
    steps: int
    held_out: int
    twin_steps_online: int


def compare(text: str, seed: int, amounts: Amounts) -> Compared:
    """Train on one calibrated bench by every method, from the same layers and on the same batches.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        amounts: How much is trained and scored.
    """
    known = calibrate(text, seed)
    with opened_session(known, batch=BATCH) as session:
        first = Trial(session, "calibrated", amounts.twin_steps, TWIN_RATE)
        for _ in range(amounts.twin_steps):
            first.step()
        start = {name: value.clone() for name, value in session.odu.state_dict().items()}
    mse: dict[str, float] = {}
    before: dict[str, float] = {}
    cpu_s: dict[str, float] = {}
    d = floor = 0.0
    for method in METHODS:
        with opened_session(known, twin_steps=amounts.twin_steps_online) as session:
            session.odu.load_state_dict(start)
            more = amounts.twin_steps_online if method == "further" else 0
            steps = amounts.steps * (1 + more)
            trial = Trial(session, method, steps, RATE)
            candidates = LayerCandidates(session, trial.forward, method, LAYER_SET)
            began_s = time.process_time()
            for step in range(steps):
                candidates.store(step, steps)
                refinement = trial.step()[1]
            cpu_s[method] = time.process_time() - began_s
            candidates.store(steps, steps)
            candidates.keep_best()
            if method == "further":
                trial = Trial(session, "physics_aware", 1, RATE)
            if method == "online":
                d, floor = refinement.discrepancy, refinement.noise_floor
            mse[method] = trial.score(amounts.held_out)
            session.odu.load_state_dict(start)
            before[method] = trial.score(amounts.held_out)
            trial.close()
    return Compared(**mse, before=before, d=d, floor=floor, cpu_s=cpu_s)


def compared_benches(setting: Setting, imperfections: str) -> list[Compared]:
    """Return the comparison of every bench with these imperfections."""
    changes = {
        "cavity.z_gap_mm": GAP_MM,
        "mock.samples_per_pixel": 2,
        "mock.imperfections": imperfections,
    }
    text = small_bench_text(SIDE_PX, LAYERS, changes)
    amounts = Amounts(
        setting.amount("regimes: steps on the twin first", smoke=1, quick=60, full=120),
        setting.amount("regimes: steps a method", smoke=2, quick=25, full=50),
        setting.amount("regimes: held-out batches a score", smoke=1, quick=8, full=12),
        setting.amount(
            "regimes: steps on the twin a step", smoke=1, quick=TWIN_STEPS, full=TWIN_STEPS
        ),
    )
    benches = []
    for seed in setting.benches(10):
        benches.append(compare(text, FIRST_SEED + seed, amounts))
        setting.say(f"{FIRST_SEED + seed}: {benches[-1]}")
    return benches


def measure_calibrated(setting: Setting) -> Outcome:
    """Train on calibrated benches whose effects the twin has parameters for: no run may end worse."""
    benches = compared_benches(setting, "random")
    title = f"calibrated, {len(benches)} benches"
    worse = sum(found.worse for found in benches)
    over = median(found.online / found.further for found in benches)
    claims = [
        claim(
            f"never worse: of {2 * len(benches)} runs on a bench, those that ended so",
            worse,
            "<= 0",
        ),
        claim(f"{title}, median: online MSE over that of as many further twin steps", over, "<= 1"),
    ]
    return Outcome(claims, {"benches": [dataclasses.asdict(found) for found in benches]})


def measure_unmodelled(setting: Setting) -> Outcome:
    """Train on benches with effects that the twin has no parameter for."""
    benches = compared_benches(setting, "unmodelled")
    title = f"unmodelled, {len(benches)} benches, worst"
    claims = [
        claim(f"{title}: {name} MSE over online's", value, ">= 1.1")
        for name, value in (
            ("physics-aware", min(found.physics_aware / found.online for found in benches)),
            ("further twin steps'", min(found.further / found.online for found in benches)),
        )
    ]
    return Outcome(claims, {"benches": [dataclasses.asdict(found) for found in benches]})
