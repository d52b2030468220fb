"""Layers as a file: what comes back, what is refused, and what is done with it."""

from __future__ import annotations

import math
from pathlib import Path

import h5py
import pytest
import torch

from labdiff.cli.generated_picture import generate_picture
from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Checkpoint, StageStarted, TrainingStep
from labdiff.generation.request import GenerationRequest
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import make_checkpoint
from labdiff.session.layer_export import export_layers
from labdiff.session.layer_file import (
    grey_levels,
    options_from_layers,
    pretrained_path,
    read_layers,
    write_layers,
)
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.twin_only import TwinTraining

BENCH = bench_text("mock")[1].replace("patch_shape = [100, 100]", "patch_shape = [20, 20]")
OPTIONS = TrainingOptions(
    layer_sets=2,
    layers="data",
    prediction="preconditioned",
    detection="differential",
    writing="differential",
    cells="soft",
    calibrated_steps=0,
    offline_steps=4,
    batch=2,
)
TURN = 2.0 * math.pi


@pytest.fixture
def session() -> TrainingSession:
    """With weights that are nowhere what they start from; phases over some turns."""
    made = TrainingSession.create(CalibratedBench(parse_bench(BENCH, "test")), OPTIONS)
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for values in made.odu.parameters():
            values += 10.0 * (torch.rand(values.shape, generator=rng) - 0.5)
    return made


@pytest.fixture
def file(session: TrainingSession, tmp_path: Path) -> Path:
    write_layers(tmp_path / "layers.h5", session, BENCH)
    return tmp_path / "layers.h5"


def test_phases_come_back_within_half_a_grey_level_and_all_else_exactly(
    session: TrainingSession, file: Path
) -> None:
    found = read_layers(file)
    assert (found.options, found.bench_text) == (session.options, BENCH)
    assert found.training_images == len(session.images.train)
    assert found.data == session.images.source
    assert set(found.versions) == {"labdiff", "numpy", "torch"}
    for name, value in session.odu.state_dict().items():
        back = found.unit.state_dict()[name]
        if name == "phases":
            away = torch.remainder(back - value + math.pi, TURN) - math.pi
            assert float(away.abs().max()) < 0.5 * TURN / 256 + 1e-5
            assert float(back.min()) >= 0.0 and float(back.max()) < TURN
        else:
            assert torch.equal(back, value), name


def test_a_turn_closes_on_itself() -> None:
    phases = torch.tensor([0.0, -0.001, TURN, TURN - 0.001, math.pi, -math.pi, 0.51 * TURN / 256])
    assert grey_levels(phases).tolist() == [0, 0, 0, 0, 128, 128, 1]


def test_what_is_no_layer_file_is_refused_with_a_message(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.h5: no such layer file"):
        read_layers(tmp_path / "nowhere.h5")
    text = tmp_path / "text.h5"
    text.write_text("digits", encoding="utf-8")
    with pytest.raises(UserError, match=r"text\.h5: cannot be read.*expected a layer file"):
        read_layers(text)
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as empty:
        empty.create_group("entry")
    with pytest.raises(UserError, match=r"other\.h5: not a layer file"):
        read_layers(other)
    with h5py.File(file, "r+") as changed:
        del changed["decode_scale"]
    with pytest.raises(UserError, match="/decode_scale: is missing; expected a layer file"):
        read_layers(file)
    with h5py.File(file, "r+") as changed:
        changed["decode_scale"] = torch.zeros(3).numpy()
    with pytest.raises(UserError, match=r"decode_scale holds float32 \(3,\).*float32 \(2,\)"):
        read_layers(file)
    with h5py.File(file, "r+") as changed:
        changed.attrs["options"] = '{"layer_sets": "three"}'
    with pytest.raises(UserError, match=r"options: layer_sets = 'three': .*valid integer"):
        read_layers(file)
    with h5py.File(file, "r+") as changed:
        changed.attrs["version"] = 3
    with pytest.raises(
        UserError, match="written by a newer labdiff, format 3; this one reads up to 2"
    ):
        read_layers(file)


def test_one_line_says_which_option_or_which_length_differs(
    file: Path, session: TrainingSession
) -> None:
    layers = read_layers(file)
    session.options = OPTIONS.model_copy(update={"prediction": "epsilon"})
    with pytest.raises(UserError, match=r"prediction = epsilon.*prediction = preconditioned"):
        layers.load_into(session)
    longer = BENCH.replace("z_gap_mm = 5.7", "z_gap_mm = 6.0")
    elsewhere = TrainingSession.create(CalibratedBench(parse_bench(longer, "test")), OPTIONS)
    with pytest.raises(UserError, match=r"bench 'mock': z_gap_m = 0\.006.*trained for 0\.0057"):
        layers.load_into(elsewhere)


def test_a_training_takes_the_options_of_its_layers(file: Path) -> None:
    wanted = {"prediction": "sample", "layer_sets": 5, "online_steps": 7, "offline_steps": 9}
    options = TrainingOptions(**options_from_layers(file, wanted, {"online_steps"}))
    assert options == OPTIONS.model_copy(update={"online_steps": 7})
    with pytest.raises(UserError, match="layer_sets = 5, but .* trained with layer_sets = 2"):
        options_from_layers(file, wanted, {"layer_sets"})


def test_a_training_from_layers_skips_what_is_offline(file: Path, tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(BENCH, encoding="utf-8")
    prepared = ExperimentJob(Request(str(bench), tmp_path, OPTIONS, start_from=file))
    job, seen = prepared.job(), []
    for event in job:
        seen.append(event)
        if isinstance(event, StageStarted):
            break
    job.close()
    assert not any(isinstance(event, TrainingStep) for event in seen)
    stage = seen[-1]
    assert isinstance(stage, StageStarted)
    assert "data sheet" not in stage.stage
    # What it began with is kept: it can be gone on with.
    first, last = [event for event in seen if isinstance(event, Checkpoint)]
    assert first.scalars["stage"] == "offline_on_twin"
    assert last.scalars["stage"] == "first_look"
    assert last.scalars["pretrained"] == 1
    assert torch.equal(prepared.session.odu.phases, read_layers(file).unit.phases)
    assert prepared.session.figures["mse_offline_twin"] > 0.0


def test_every_layer_set_goes_on_from_its_own(file: Path, session: TrainingSession) -> None:
    read_layers(file).load_into(session)
    before = session.odu.phases.detach().clone()
    run(train(session, "calibrated"))
    assert torch.equal(session.odu.phases, before)


def test_a_run_is_exported_once_it_is_trained(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    training = TwinTraining(path, BENCH, OPTIONS)
    training.recorder(make_checkpoint(training.session))
    training.recorder.close()
    with pytest.raises(UserError, match=r"not trained to the end \(layer set 0 of 2\)"):
        export_layers(path, tmp_path / "layers.h5")
    trained = run(TwinTraining(path, BENCH, OPTIONS).job())
    export_layers(path, tmp_path / "layers.h5")
    found = read_layers(tmp_path / "layers.h5")
    assert torch.equal(grey_levels(found.unit.phases), grey_levels(trained.odu.phases))


@pytest.mark.parametrize("pretrained", [True, False])
def test_images_without_a_run_file(pretrained: bool, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    generate_picture(
        GenerationRequest(None if pretrained else file, 2, sampler={"sampler_steps": 2}), out
    )
    assert out.read_bytes().startswith(b"\x89PNG")


def test_the_pretrained_layers_are_small() -> None:
    assert pretrained_path().stat().st_size < 1_000_000
