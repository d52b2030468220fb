"""Training without a bench: kept, cut, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from drivers.errors import DeviceStateError
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import Event, JobStarted, TrainingStep
from labdiff.generation import denoise as evaluate
from labdiff.generation.denoise import denoise
from labdiff.generation.sample import generate
from labdiff.job import run
from labdiff.runs.reader import read_run
from labdiff.training.loop import train
from labdiff.training.twin_only import TwinTraining

SMALL = (
    bench_text("mock")[1]
    .replace("patch_shape = [100, 100]", "patch_shape = [20, 20]")
    .replace("waist_mm = 0.60", "waist_mm = 0.12")
    .replace("z_gap_mm = 5.7 ", "z_gap_mm = 1.0 ")
)
OPTIONS = TrainingOptions(
    layer_sets=2,
    timestep_edges=(300,),
    offline_steps=6,
    further_steps=0.5,
    batch=2,
    layers="data",
    detection="differential",
    prediction="preconditioned",
    sampler_steps=3,
)


def steps_of(path: Path, options: TrainingOptions = OPTIONS) -> tuple[int, TwinTraining]:
    training = TwinTraining(path, SMALL, options)
    seen: list[Event] = []
    run(training.job(), watch=[seen.append])
    assert isinstance(seen[0], JobStarted)
    assert seen[0].data.startswith("data digits: ") and "% of white" in seen[0].data
    return sum(isinstance(event, TrainingStep) for event in seen), training


def test_a_training_that_is_done_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "unit.h5"
    count, first = steps_of(path)
    assert count == 6 + 3
    assert read_run(path).outcome == "completed"
    again, second = steps_of(path)
    assert again == 0
    assert torch.equal(first.session.odu.phases, second.session.odu.phases)
    assert torch.equal(first.session.odu.data_gain, second.session.odu.data_gain)


def test_a_training_that_was_cut_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "unit.h5"
    training = TwinTraining(path, SMALL, OPTIONS)
    seen: list[Event] = []

    def cut() -> bool:
        return sum(isinstance(event, TrainingStep) for event in seen) == 7

    with pytest.raises(JobStoppedError):
        run(training.job(), watch=[seen.append], should_stop=cut)
    assert read_run(path).outcome == "stopped"
    count, resumed = steps_of(path)
    # The last checkpoint was the first layer set's end or later; no set is trained twice from its start.
    assert 0 < count <= 6 + 3
    assert resumed.session.position.stage == "trained"


def test_another_training_is_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "unit.h5"
    steps_of(path)
    with pytest.raises(UserError, match="other options or of another bench"):
        TwinTraining(path, SMALL, OPTIONS.model_copy(update={"batch": 3}))


def test_images_come_without_a_bench_and_light_does_not(tmp_path: Path) -> None:
    _, training = steps_of(tmp_path / "unit.h5")
    images = run(generate(training.session, 2, "twin", seed=1))
    assert images.shape == (2, 10, 10)
    assert float(images.abs().max()) <= 1.0
    with pytest.raises(DeviceStateError, match="none is open"):
        run(generate(training.session, 2, "bench", seed=1))


def test_no_steps_leave_every_layer_set_as_it_is(tmp_path: Path) -> None:
    none = OPTIONS.model_copy(update={"calibrated_steps": 0})
    session = TwinTraining(tmp_path / "unit.h5", SMALL, none).session
    with torch.no_grad():
        session.odu.phases[1] += 1.0
    before = session.odu.phases.detach().clone()
    run(train(session, "calibrated"))
    assert torch.equal(session.odu.phases, before)


def test_a_layer_set_starts_from_its_neighbour_or_by_itself(tmp_path: Path) -> None:
    """With steps too small to move anything, what a set starts from is what it ends with."""
    for warm in (True, False):
        options = OPTIONS.model_copy(update={"learning_rate": 1e-12, "warm_start": warm})
        session = TwinTraining(tmp_path / f"{warm}.h5", SMALL, options).session
        with torch.no_grad():
            session.odu.phases[1] += 1.0
        run(train(session, "offline"))
        same = torch.allclose(session.odu.phases[0], session.odu.phases[1], atol=1e-4)
        assert same is warm


def test_many_images_are_denoised_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = TwinTraining(tmp_path / "unit.h5", SMALL, OPTIONS).session
    rng = torch.Generator().manual_seed(0)
    x_t = torch.randn(7, 10, 10, generator=rng)
    t = torch.tensor([10, 500, 20, 600, 700, 30, 999])
    at_once, _ = denoise(session, x_t, t, "twin")
    monkeypatch.setattr(evaluate, "TWIN_BATCH", 2)
    some, _ = denoise(session, x_t, t, "twin")
    torch.testing.assert_close(some, at_once, atol=1e-5, rtol=0)
