"""The loop on a bench that is a twin of its own, with other angles: the truth is known."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from calibration.registration import Registration
from calibration.result import Verdict
from drivers.errors import DeviceTimeoutError
from labdiff.bench.batch import NextBatch, ShouldStop
from labdiff.bench.measurement import Measurement
from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import TrainingStep
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import build_twin
from labdiff.session.training_session import TrainingSession
from labdiff.training.forward import BenchForward, RefinedForward, TwinForward
from labdiff.training.forward_choice import forward_of
from labdiff.training.loop import train
from labdiff.training.methods import Method
from labdiff.training.model_free import PolicyGradientForward, SpsaForward
from mock_hardware.clock import VirtualClock

CONFIG = parse_bench(
    bench_text("mock")[1]
    .replace("patch_shape = [100, 100]", "patch_shape = [30, 30]")
    .replace("waist_mm = 0.60", "waist_mm = 0.18")
    .replace("z_gap_mm = 5.7 ", "z_gap_mm = 1.0 "),
    "small bench",
)
OPTIONS = TrainingOptions(
    layer_sets=1,
    online_steps=60,
    batch=8,
    online_learning_rate=0.05,
    fit_frames=0,
    held_out_batches=0,
)
TILT_MRAD = torch.tensor([0.4, -0.3])


class TwinBench:
    """Answers as the data sheet's twin with a mirror that is tilted, without noise."""

    counts_per_ms_per_unit = 1.0

    def __init__(self, broken_from: int = 2**31) -> None:
        self.clock = VirtualClock()
        self.frames_repeated = 0
        self.display = SimpleNamespace(
            realised=lambda phases: phases, prefetcher=SimpleNamespace(forget=lambda: None)
        )
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []
        self._twin = build_twin(CONFIG)
        tilted = {"d_alpha_mirror_mrad": TILT_MRAD}
        self._twin.load_alignment(self._twin.state_dict() | tilted)
        self._broken_from = broken_from
        self.registration = Registration(np.eye(2), np.zeros(2), 0.0, 0.0, Verdict("pass", ""))

    def acquire(
        self,
        inputs: np.ndarray,
        layers: np.ndarray,
        should_stop: ShouldStop,
        next_batch: NextBatch = lambda: None,
    ) -> torch.Tensor:
        self.asked.append((inputs, layers))
        if len(self.asked) > self._broken_from:
            raise DeviceTimeoutError("camera: no frame")
        self.clock.sleep_s(0.1)
        with torch.no_grad():
            return self._twin(torch.from_numpy(inputs), torch.from_numpy(layers))

    def measure(self, inputs: np.ndarray, layers: np.ndarray) -> Measurement:
        return self.to_intensity(self.acquire(inputs, layers, lambda: False))

    def state(self) -> None:
        return None

    def to_intensity(self, taken: torch.Tensor) -> Measurement:
        return Measurement(taken.numpy(), 0.0, np.full(len(taken), 1e-9))

    def use_registration(self, registration: Registration) -> None:
        """From now on the light is read where the registration says, (row, column)."""
        self.registration = registration
        centre = (np.array(CONFIG.cavity.patch_shape) - 1) / 2
        shear = registration.matrix - np.eye(2)
        shift = shear @ centre + registration.offset
        read = {
            "output_shear_percent": torch.tensor(100.0 * shear[::-1, ::-1].copy()).float(),
            "output_shift_px": torch.tensor(shift[::-1].copy()).float(),
        }
        self._twin.load_alignment(self._twin.state_dict() | read)

    def declared_s(self, inputs: np.ndarray, layers: np.ndarray) -> float:
        return 0.1


def trained(
    method: Method, bench: TwinBench | None = None, **options: object
) -> tuple[list[TrainingStep], TrainingSession, TwinBench]:
    bench = bench or TwinBench()
    chosen = OPTIONS.model_copy(update=options)
    session = TrainingSession.create(CalibratedBench(CONFIG, bench), chosen)  # type: ignore[arg-type]
    session.position.stage = method
    steps: list[TrainingStep] = []

    def watch(event: object) -> None:
        if isinstance(event, TrainingStep):
            steps.append(event)

    run(train(session, method), record=[watch])
    return steps, session, bench


@pytest.fixture(scope="module")
def by_light() -> dict[bool, tuple[list[TrainingStep], TrainingSession, TwinBench]]:
    """Train with the bench's light once for all tests that read the result, overlapped and not."""
    return {overlap: trained("physics_aware", overlap=overlap) for overlap in (True, False)}


def mean_mse(steps: list[TrainingStep]) -> float:
    """Of the bench."""
    return float(np.mean([float("nan" if s.bench_mse is None else s.bench_mse) for s in steps]))


@pytest.mark.parametrize("overlap", [True, False])
def test_the_bench_light_teaches_although_the_twin_is_wrong(
    by_light: dict[bool, tuple[list[TrainingStep], TrainingSession, TwinBench]], overlap: bool
) -> None:
    steps, _, bench = by_light[overlap]
    assert mean_mse(steps[-20:]) < 0.8 * mean_mse(steps[:20])
    assert len(bench.asked) == 1 + OPTIONS.online_steps, "one batch to match cells, one a step"


def test_online_the_twin_comes_to_the_bench_and_physics_aware_leaves_it(
    by_light: dict[bool, tuple[list[TrainingStep], TrainingSession, TwinBench]],
) -> None:
    refined, session, _ = trained("online")
    fixed, left, _ = by_light[OPTIONS.overlap]
    distances = [float(s.discrepancy or "nan") for s in (refined[0], refined[-1], fixed[-1])]
    assert distances[1] < 0.1 * distances[0]
    assert distances[1] < 0.1 * distances[2]
    assert torch.equal(left.calibrated.twin.d_alpha_mirror_mrad, torch.zeros(2))
    assert float(session.calibrated.twin.d_alpha_mirror_mrad @ TILT_MRAD) > 0.0, (
        "turned the right way"
    )


def test_fitted_to_its_latest_frames_the_twin_is_there_within_two_steps() -> None:
    chosen = {"fit_frames": 16, "probe_frames": 3, "online_steps": 4}
    steps, session, bench = trained("online", overlap=True, **chosen)
    distances = [float(s.discrepancy or "nan") for s in steps]
    assert max(distances[1:]) < 0.05 * distances[0]
    # Two batches to match cells, then a batch of eight images a step: those of a twin far off with probes.
    frames = [len(inputs) for inputs, _ in bench.asked]
    assert frames[:2] == [16, 8 + 3]
    assert session.calibrated.twin.output_shift_px.abs().max() < 0.1, "the registration has it now"
    corner = np.array(CONFIG.cavity.patch_shape) - 1
    moved = (bench.registration.matrix - np.eye(2)) @ corner + bench.registration.offset
    assert np.abs(moved).max() > 0.1, "which was found to be another one"


def test_layers_of_an_overlapped_step_lack_the_last_update() -> None:
    _, _, ahead = trained("physics_aware", overlap=True, online_steps=4)
    _, _, waiting = trained("physics_aware", overlap=False, online_steps=4)
    for (first, _), (second, _) in zip(ahead.asked, waiting.asked, strict=True):
        assert np.isfinite(first).all() and first.shape == second.shape
    layers = [layers for _, layers in ahead.asked[1:]]
    assert np.array_equal(layers[0], layers[1]), "sent before the first gradient was there"
    assert not np.array_equal(layers[1], layers[2])
    others = [layers for _, layers in waiting.asked[1:]]
    assert not np.array_equal(others[0], others[1])
    # With the same layers both measure the same and learn the same: the second step's layers of the
    # one are the third step's of the other.
    np.testing.assert_allclose(others[1], layers[2], atol=1e-6)


def test_stale_gradients_learn_nearly_as_well(
    by_light: dict[bool, tuple[list[TrainingStep], TrainingSession, TwinBench]],
) -> None:
    (ahead, _, _), (waiting, _, _) = by_light[True], by_light[False]
    assert mean_mse(ahead[-20:]) < 1.1 * mean_mse(waiting[-20:])


def test_a_training_that_is_left_leaves_no_thread_behind() -> None:
    session = TrainingSession.create(CalibratedBench(CONFIG, TwinBench()), OPTIONS)  # type: ignore[arg-type]
    job = train(session, "online")
    for _ in range(4):
        next(job)
    job.close()
    assert not [t for t in threading.enumerate() if t.name == "bench worker" and t.is_alive()]


def test_what_the_bench_raises_reaches_the_caller() -> None:
    with pytest.raises(DeviceTimeoutError, match="no frame"):
        trained("online", TwinBench(broken_from=3))


def test_methods_differ_in_their_light_alone() -> None:
    session = TrainingSession.create(CalibratedBench(CONFIG, TwinBench()), OPTIONS)  # type: ignore[arg-type]
    kinds: dict[Method, type[TwinForward]] = {
        "offline": TwinForward,
        "calibrated": TwinForward,
        "physics_aware": BenchForward,
        "spsa": SpsaForward,
        "policy_gradient": PolicyGradientForward,
        "online": RefinedForward,
    }
    for method, kind in kinds.items():
        with forward_of(session, method) as source:
            assert type(source) is kind
