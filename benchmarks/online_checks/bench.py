"""Calibrated mock benches: one calibration, any number of benches that stand where it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.mock_checks.benches import laboratory_of
from calibration.result_file import Result
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.routines import IMAGING, PREDICTION, routine
from labdiff.config.bench import BenchConfig, load_bench
from labdiff.config.training import TrainingOptions
from labdiff.job import run
from labdiff.metrics.noise_error import FIRST_SCORED_T
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward import RefinedForward, TwinForward, forward_of
from labdiff.training.loss import training_loss
from labdiff.training.methods import Method
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.twin_refinement import RefinementResult
from mock_hardware.laboratory import MockLaboratory

LAYER_SET = 0
"""Of five: the one for the least noise, whose layers a drifting angle disturbs most."""
BATCH = 8
HELD_OUT = 12
STILL = ("beam_urad", "mirror_urad", "power", "wavelength_nm", "temperature_k")


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was measured of the bench with this seed, by routine, and the bench's time at the end of it."""

    seed: int
    found: dict[str, Result]
    now_s: float


def options(seed: int, **changes: Any) -> TrainingOptions:
    """Of all parts: five layer sets, of which one learns, from rest."""
    return TrainingOptions(seed=seed, **{"batch": BATCH, **changes})


def calibrate(seed: int) -> Calibrated:
    """The mock bench with every effect, measured as the demo does it."""
    config = load_bench("mock")
    calibrated = CalibratedBench(config, open_bench(config, seed))
    with calibrated.bench as bench:
        found = run(measure_routines(calibrated, (*IMAGING, *PREDICTION)))
        return Calibrated(seed, found, bench.clock.now_s())


def still(config: BenchConfig) -> BenchConfig:
    """The same bench without drift."""
    drift = config.mock.drift.model_copy(update=dict.fromkeys(STILL, 0.0))
    return config.model_copy(update={"mock": config.mock.model_copy(update={"drift": drift})})


def noiseless(config: BenchConfig) -> BenchConfig:
    """The same bench without what varies from frame to frame."""
    mock = config.mock
    camera = mock.camera.model_copy(update={"shot_noise": False, "read_noise_electrons": 0.0})
    slm = mock.slm.model_copy(update={"flicker": 0.0})
    return config.model_copy(
        update={"mock": mock.model_copy(update={"camera": camera, "slm": slm})}
    )


def opened(known: Calibrated, config: BenchConfig | None = None, **changes: Any) -> TrainingSession:
    """A bench of this seed on which the calibration is in use; the laser is on. Close it."""
    config = config or load_bench("mock")
    calibrated = CalibratedBench(config, open_bench(config, known.seed))
    session = TrainingSession.create(calibrated, options(known.seed, **changes))
    bench = session.calibrated.bench.__enter__()
    for name, result in known.found.items():
        routine(name).apply(calibrated, result)
    bench.clock.sleep_s(known.now_s - bench.clock.now_s())
    return session


def laboratory(session: TrainingSession) -> MockLaboratory:
    """The room behind a mock bench."""
    return laboratory_of(session.calibrated.bench)


class Trial:
    """A layer set that learns by one method; the loop's own parts, on batches that all methods share."""

    def __init__(self, session: TrainingSession, method: Method, steps: int, rate: float) -> None:
        self.session, self.method = session, method
        self.forward: TwinForward = forward_of(session, method)
        self.learner = LayerOptimiser(session.odu, LAYER_SET, session.options, rate, steps)
        self.step_number = 0

    def step(self) -> tuple[float, RefinementResult]:
        """Make one step; return the noise MSE of its batch, and what was done to the twin."""
        batch = draw_batch(self.session, "online", LAYER_SET, self.step_number)
        self.step_number += 1
        forward = self.forward
        submitted = forward.submit(batch, LAYER_SET, self.learner.phases)
        result = forward(submitted)
        self.learner.backward(training_loss(self.session, submitted, result, LAYER_SET))
        refinement = forward.refine(submitted, result)
        self.learner.step(trusted=refinement.trusted)
        return self._mse(result.measured, batch), refinement

    def score(self, batches: int = HELD_OUT) -> float:
        """Return the noise MSE of held-out batches by the method's forward pass; the twin is refined."""
        forward = self.forward
        errors = []
        for number in range(batches):
            batch = draw_batch(self.session, "online", LAYER_SET, -1 - number)
            with torch.no_grad():
                submitted = forward.submit(batch, LAYER_SET)
                result = forward(submitted)
            errors.append(self._mse(result.measured, batch))
            forward.refine(submitted, result)
        return sum(errors) / len(errors)

    def _mse(self, measured: Tensor, batch: Batch) -> float:
        session = self.session
        with torch.no_grad():
            found = session.odu.decode(measured, batch.x_t, batch.abar, LAYER_SET)
            scored = batch.t >= FIRST_SCORED_T
            error = (found - batch.noise)[scored] if bool(scored.any()) else found - batch.noise
            return float(error.square().mean())

    @property
    def refined(self) -> RefinedForward:
        """Return the forward pass, of the method "online"."""
        assert isinstance(self.forward, RefinedForward)
        return self.forward

    def close(self) -> None:
        """Leave no batch in progress."""
        self.forward.__exit__(None, None, None)
