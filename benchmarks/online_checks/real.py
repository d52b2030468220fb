"""The real problem: every imperfection, calibrated first; three methods on the same batches."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from benchmarks.online_checks.bench import (
    LAYER_SET,
    Calibrated,
    Trial,
    calibrate,
    noiseless,
    opened,
    still,
)
from labdiff.config.bench import load_bench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.methods import Method
from labdiff.training.twin_refinement import TwinRefiner
from twin.denoising_unit import REST_RAD
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy

RATE = 0.1
TRUTH_LOOKS = 40
LAST = 10


@dataclass(frozen=True, slots=True)
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


def real(seed: int, steps: int) -> Real:
    """One bench."""
    known = calibrate(seed)
    mse: dict[Method, float] = {}
    over = (float("nan"), float("nan"))
    for method in ("calibrated", "physics_aware", "online"):
        session = opened(known)
        with session.calibrated.bench:
            trial = Trial(session, method, steps, RATE)
            looks = [trial.step()[1] for _ in range(steps)]
            if method == "calibrated":
                # Learnt without the bench; what it took the others to measure has passed all the same.
                session.calibrated.bench.clock.sleep_s(began_after(known, steps))
                trial = Trial(session, "physics_aware", 1, RATE)
            mse[method] = trial.score()
            if method == "online":
                last = [look for look in looks[-LAST:] if look is not None]
                over = (
                    sum(look.discrepancy for look in last) / len(last),
                    sum(look.noise_floor for look in last) / len(last),
                )
            trial.close()
    true, true_d = on_the_true_model(known, steps)
    return Real(mse["online"], mse["physics_aware"], mse["calibrated"], true, *over, true_d)


def began_after(known: Calibrated, steps: int) -> float:
    """Seconds that the bench needs for the batches of so many steps."""
    session = opened(known)
    with session.calibrated.bench as bench:
        batch = draw_batch(session, "online", LAYER_SET, 0)
        written = session.calibrated.displayed(*session.odu.encode(batch.x_t, LAYER_SET))
        inputs, layers = (t.detach().numpy() for t in written)
        return steps * bench.declared_s(inputs, layers)


def on_the_true_model(known: Calibrated, steps: int) -> tuple[float, float]:
    """Learn on a twin with two samples a pixel that was refined on noiseless frames of a still bench.

    Forty batches of random layers and noisy images, four frames each, all told. The layers are then run
    on the still bench, with its noise. Returned is their error, and D of the model for them, without noise.
    """
    config = still(load_bench("mock"))
    session = opened(known, noiseless(config))
    with session.calibrated.bench:
        refinement = TwinRefiner(session.calibrated.twin, session.calibrated.covariance)
        rng = torch.Generator().manual_seed(known.seed)
        for number in range(TRUTH_LOOKS):
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
    session = opened(known, config)
    with session.calibrated.bench:
        session.calibrated.twin = true
        session.calibrated.precompensate()
        learnt = Trial(session, "calibrated", steps, RATE)
        for _ in range(steps):
            learnt.step()
        scored = Trial(session, "physics_aware", 1, RATE)
        mse = scored.score()
        scored.close()
        layers = session.odu.phases[LAYER_SET].detach()
    return mse, model_error(opened(known, noiseless(config)), true, layers)


def model_error(session: TrainingSession, true: DigitalTwin, layers: torch.Tensor) -> float:
    """D between a model and the still bench without noise, for these layers; closes the bench."""
    with session.calibrated.bench, torch.no_grad():
        session.calibrated.twin = true
        session.calibrated.precompensate()
        x_t = draw_batch(session, "online", LAYER_SET, -2000).x_t
        written = session.calibrated.displayed(*session.odu.encode(x_t, LAYER_SET, layers))
        return float(discrepancy(session.calibrated.measure(*written), true(*written)).mean())


def smooth(session: TrainingSession, rng: torch.Generator) -> torch.Tensor:
    """Random layers (N, h, w) of rms 1, with structure of 7 pixels, about as layers have it that learn."""
    shape = (session.calibrated.config.layers, *session.calibrated.config.cavity.patch_shape)
    noise = torch.randn(shape, generator=rng)
    soft = torch.nn.functional.avg_pool2d(noise[None], 7, stride=1, padding=3)[0]
    return soft / soft.std()
