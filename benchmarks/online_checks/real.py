"""The real problem: every imperfection, calibrated first; three methods on the same batches."""

from __future__ import annotations

import dataclasses

import torch

from benchmarks.calibrated import Calibrated, bench_file, calibrate
from benchmarks.claims import claim
from benchmarks.online_checks.bench import LAYER_SET, Trial, noiseless, opened_session, still
from benchmarks.parts import Outcome, Setting
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.methods import Method
from labdiff.training.twin_refinement import TwinRefiner
from twin.denoising_unit import REST_RAD
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy

RATE = 0.1
LAST = 10
"""D and its floor are means over so many steps at the end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Real:
    """Of one bench: held-out noise MSE by method, and D over its floor at the end of online learning.

    true: learnt on the model of the bench as it is, and run on the bench as it is, without drift.
    true_d: D of that model for the layers it taught, without noise.
    """

    online: float
    physics_aware: float
    offline: float
    true: float
    d: float
    floor: float
    true_d: float


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """Steps of each method, batches that refine the true model, held-out batches a score."""

    steps: int
    true_batches: int
    held_out: int


def real(text: str, seed: int, amounts: Amounts) -> Real:
    """Train on one bench with three methods, and on the true model.

    Args:
        text: The bench file.
        seed: Of the bench's hidden truth.
        amounts: How much is trained and scored.
    """
    known = calibrate(text, seed)
    steps = amounts.steps
    mse: dict[Method, float] = {}
    over = (0.0, 0.0)
    for method in ("calibrated", "physics_aware", "online"):
        with opened_session(known) as session:
            trial = Trial(session, method, steps, RATE)
            refinements = [trial.step()[1] for _ in range(steps)]
            if method == "calibrated":
                # Learnt without the bench; what it took the others to measure has passed all the same.
                session.calibrated.bench.clock.sleep_s(declared_s(known, steps))
                trial = Trial(session, "physics_aware", 1, RATE)
            mse[method] = trial.score(amounts.held_out)
            if method == "online":
                last = refinements[-LAST:]
                over = (
                    sum(refinement.discrepancy for refinement in last) / len(last),
                    sum(refinement.noise_floor for refinement in last) / len(last),
                )
            trial.close()
    true, true_d = on_the_true_model(known, amounts)
    return Real(mse["online"], mse["physics_aware"], mse["calibrated"], true, *over, true_d)


def declared_s(known: Calibrated, steps: int) -> float:
    """Return the seconds that the bench needs for the batches of so many steps."""
    with opened_session(known) as session:
        batch = draw_batch(session, "online", LAYER_SET, 0)
        displayed = session.calibrated.displayed(*session.odu.encode(batch.x_t, LAYER_SET))
        inputs, layers = (t.detach().numpy() for t in displayed)
        return steps * session.calibrated.bench.declared_s(inputs, layers)


def on_the_true_model(known: Calibrated, amounts: Amounts) -> tuple[float, float]:
    """Learn on a twin with two samples a pixel that was refined on noiseless frames of a still bench.

    Batches of random layers and noisy images, four frames each. The layers are then run on the still
    bench, with its noise. Return their error, and D of the model for them, without noise.
    """
    config = still(known.config)
    with opened_session(known, noiseless(config)) as session:
        refinement = TwinRefiner(session.calibrated.twin, session.calibrated.covariance)
        rng = torch.Generator().manual_seed(known.seed)
        for number in range(amounts.true_batches):
            x_t = draw_batch(session, "online", LAYER_SET, -1000 - number).x_t[:4]
            wild = 2.0 * torch.rand((), generator=rng)
            layers = REST_RAD + wild * smooth(session, rng)
            with torch.no_grad():
                inputs, layers = session.calibrated.displayed(
                    *session.odu.encode(x_t, LAYER_SET, layers)
                )
            measured = session.calibrated.measure(inputs, layers)
            refinement.refine(inputs, layers, measured, torch.zeros(len(x_t)), float(number))
        true = session.calibrated.twin.finer(2)
    with opened_session(known, config) as session:
        session.calibrated.twin = true
        session.calibrated.precompensate()
        learnt = Trial(session, "calibrated", amounts.steps, RATE)
        for _ in range(amounts.steps):
            learnt.step()
        scored = Trial(session, "physics_aware", 1, RATE)
        mse = scored.score(amounts.held_out)
        scored.close()
        layers = session.odu.phases[LAYER_SET].detach()
    with opened_session(known, noiseless(config)) as session:
        return mse, model_error(session, true, layers)


def model_error(session: TrainingSession, true: DigitalTwin, layers: torch.Tensor) -> float:
    """Return D between a model and the still bench without noise, for these layers."""
    with torch.no_grad():
        session.calibrated.twin = true
        session.calibrated.precompensate()
        x_t = draw_batch(session, "online", LAYER_SET, -2000).x_t
        displayed = session.calibrated.displayed(*session.odu.encode(x_t, LAYER_SET, layers))
        return float(discrepancy(session.calibrated.measure(*displayed), true(*displayed)).mean())


def smooth(session: TrainingSession, rng: torch.Generator) -> torch.Tensor:
    """Return random layers (N, h, w) of rms 1, structured over 7 pixels as trained layers are."""
    shape = (session.calibrated.config.layers, *session.calibrated.config.cavity.patch_shape)
    noise = torch.randn(shape, generator=rng)
    soft = torch.nn.functional.avg_pool2d(noise[None], 7, stride=1, padding=3)[0]
    return soft / soft.std()


def measure(setting: Setting) -> Outcome:
    """Train on every bench with every imperfection on."""
    text = bench_file(setting)
    amounts = Amounts(
        setting.amount("real: steps a method", smoke=1, quick=12, full=80),
        setting.amount("real: batches that refine the true model", smoke=1, quick=12, full=40),
        setting.amount("real: held-out batches a score", smoke=1, quick=4, full=12),
    )
    benches = []
    for seed in setting.benches(10):
        benches.append(real(text, seed, amounts))
        setting.say(str(benches[-1]))
    title = f"real problem, {len(benches)} benches, worst"
    best = [found.online < min(found.physics_aware, found.offline) for found in benches]
    over = max(found.online / found.true for found in benches)
    floor = max(found.d / found.floor for found in benches)
    share = sum(best) / len(best)
    claims = [
        claim(f"{title}: online MSE over the true model's", over, "<= 1.1"),
        claim(f"{title}: D over its floor", floor, "<= 1.5"),
        claim("real problem: share of benches on which online is best", share, ">= 1"),
    ]
    return Outcome(claims, {"benches": [dataclasses.asdict(found) for found in benches]})
