"""Where frames are worth their time: online learning beside further steps on the twin and physics-aware."""

from __future__ import annotations

import dataclasses
import time
from statistics import median

from benchmarks.calibrated import calibrate
from benchmarks.claims import Claim, claim
from benchmarks.online_checks.bench import BATCH, LAYER_SET, Trial, opened_session
from benchmarks.online_checks.rays import FIRST_SEED, GAP_MM, LAYERS, SIDE_PX
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from calibration.result import CalibrationError
from labdiff.training.early_stopping import LayerCandidates
from labdiff.training.methods import Method

TWIN_RATE, RATE = 0.2, 0.1
"""Radians a step: of the layers with which all methods start, and of the methods."""
FREE_FORM_FRAMES = 64
"""Frames of the twin's free-form part, which is off by default."""
TWIN_STEPS = 16
"""Steps of online learning on its twin after each on the bench; further steps are as many as all these."""
METHODS: dict[str, Method] = {
    "further": "further",
    "further_few": "further",
    "physics_aware": "physics_aware",
    "online": "online",
}
"""The methods by the names of their figures."""


NOISE = 0.01
"""Share of a score that noise and drift move, by which a run may seem worse than it was."""


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """Held-out noise MSE on one bench after each method's steps; D and its floor at online's end.

    further: after as many steps as online learning makes on bench and twin; further_few: as on the bench.
    before: by method, of the layers with which it began, measured right after it. cpu_s: of each method's
    steps.
    """

    further: float
    further_few: float
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
    for name, method in METHODS.items():
        with opened_session(
            known, twin_steps=amounts.twin_steps_online, free_form_frames=FREE_FORM_FRAMES
        ) as session:
            session.odu.load_state_dict(start)
            more = amounts.twin_steps_online if name == "further" else 0
            steps = amounts.steps * (1 + more)
            trial = Trial(session, method, steps, RATE)
            candidates = LayerCandidates(session, trial.forward, method, LAYER_SET)
            began_s = time.process_time()
            for step in range(steps):
                candidates.store(step, steps)
                refinement = trial.step()[1]
            cpu_s[name] = time.process_time() - began_s
            candidates.store(steps, steps)
            candidates.keep_best()
            if method == "further":
                trial = Trial(session, "physics_aware", 1, RATE)
            if method == "online":
                d, floor = refinement.discrepancy, refinement.noise_floor
            mse[name] = trial.score(amounts.held_out)
            session.odu.load_state_dict(start)
            before[name] = trial.score(amounts.held_out)
            trial.close()
    return Compared(**mse, before=before, d=d, floor=floor, cpu_s=cpu_s)


@dataclasses.dataclass(frozen=True, slots=True)
class Benches:
    """The benches that were compared, and the seeds of those whose calibration refused them."""

    compared: list[Compared]
    refused: list[int]

    def figures(self) -> dict[str, object]:
        """Return what the JSON line holds of them."""
        return {
            "benches": [dataclasses.asdict(found) for found in self.compared],
            "refused": self.refused,
        }


def compared_benches(setting: Setting, imperfections: str) -> Benches:
    """Return the comparison of benches with these imperfections; one that is refused has a successor."""
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
    found = Benches([], [])
    wanted = len(setting.benches(10))
    for seed in range(FIRST_SEED, FIRST_SEED + 3 * wanted):
        if len(found.compared) == wanted:
            break
        try:
            found.compared.append(compare(text, seed, amounts))
        except CalibrationError as error:
            found.refused.append(seed)
            setting.say(f"{seed}: refused, {error}")
            continue
        setting.say(f"{seed}: {found.compared[-1]}")
    return found


def measure_calibrated(setting: Setting) -> Outcome:
    """Train on calibrated benches whose effects the twin has parameters for: no run may end worse."""
    found = compared_benches(setting, "random")
    over = median(bench.online / bench.further for bench in found.compared)
    title = f"calibrated, {len(found.compared)} benches, median"
    claims = [
        _never_worse(found),
        claim(f"{title}: online MSE over that of as many further twin steps", over, "<= 1"),
    ]
    return Outcome(claims, found.figures())


def measure_unmodelled(setting: Setting) -> Outcome:
    """Train on benches with effects that the twin has no parameter for."""
    found = compared_benches(setting, "unmodelled")
    title = f"unmodelled, {len(found.compared)} benches, worst"
    over = {
        "physics-aware": [bench.physics_aware / bench.online for bench in found.compared],
        "as many further twin steps as on the bench:": [
            bench.further_few / bench.online for bench in found.compared
        ],
        "as many further twin steps as on bench and twin:": [
            bench.further / bench.online for bench in found.compared
        ],
    }
    claims = [
        claim(f"{title}: {name} MSE over online's", min(values), ">= 1.1")
        for name, values in over.items()
    ]
    return Outcome([*claims, _never_worse(found)], found.figures())


def _never_worse(found: Benches) -> Claim:
    worse = sum(bench.worse for bench in found.compared)
    runs = 2 * len(found.compared)
    return claim(f"never worse: of {runs} runs on a bench, those that ended so", worse, "<= 0")
