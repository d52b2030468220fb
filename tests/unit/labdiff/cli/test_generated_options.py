"""Options of commands are generated from the training options."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labdiff.cli import generate, train
from labdiff.config.training import GROUPS, SAMPLER, TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.jobs.training_job import Request


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    train.register(made)
    generate.register(made)
    return made


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Collects what would be trained."""
    asked: list[Request] = []
    monkeypatch.setattr(
        "labdiff.cli.training_run.run_experiment", lambda request, as_json: asked.append(request)
    )
    return asked


def run(app: typer.Typer, *arguments: object) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_help_shows_every_option_in_the_panel_of_its_group(app: typer.Typer) -> None:
    shown = run(app, "train", "--help")
    for group in GROUPS:
        panel = shown.split(f" {group.title} ─")[1].split("╰")[0]
        for option in group.options:
            assert f"--{option.name.replace('_', '-')} " in panel
    shown = run(app, "generate", "--help")
    for option in SAMPLER.options:
        assert f"--{option.name.removeprefix('sampler_').replace('_', '-')}" in shown


def test_without_options_the_defaults_are_trained(
    app: typer.Typer, trainings: list[Request]
) -> None:
    run(app, "train", "--recalibrate")
    assert trainings == [Request("mock", Path("runs/train"))]


def test_names_of_the_command_line_are_those_of_the_options(
    app: typer.Typer, trainings: list[Request]
) -> None:
    arguments = "--timestep-edges 100,200 --classes 0,4 --prompt --no-warm-start --phase-decay 0.5"
    run(app, "train", *arguments.split(), "--layers", "data", "--seed", 3, "--sampler", "ddpm")
    assert trainings[0].options == TrainingOptions(
        layer_sets=3,
        timestep_edges=(100, 200),
        classes=(0, 4),
        prompt=True,
        warm_start=False,
        phase_decay=0.5,
        layers="data",
        seed=3,
        sampler="ddpm",
    )


def test_the_command_line_counts_before_the_file_and_the_file_before_recommendations(
    app: typer.Typer, trainings: list[Request], tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        'batch = 8\nonline_steps = 5\n[data]\ndata = "afhq-cat"\nimage_size = 32', encoding="utf-8"
    )
    run(app, "train", "--options", study, "--batch", 9)
    options = trainings[0].options
    assert (options.batch, options.online_steps, options.image_size) == (9, 5, 32)
    assert (options.data, options.classes, options.offline_steps) == ("afhq-cat", (), 500)


def test_mistakes_name_where_they_stand(app: typer.Typer, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text('sampler = "paper"', encoding="utf-8")
    cases: dict[str, tuple[object, ...]] = {
        r"study\.toml and command line: temperature 1\.2": (
            *("--options", study, "--temperature", 1.2),
        ),
        r"options: batch = 0: input should be greater": ("--batch", 0),
        r"--classes one: needs whole numbers, as 0,1,2": ("--classes", "one"),
        r"--options: a resumed run has its own": ("--resume", "run.h5", "--options", study),
    }
    for message, arguments in cases.items():
        with pytest.raises(UserError, match=message):
            run(app, "train", *arguments)


def test_layers_bring_what_they_are_made_for(app: typer.Typer, trainings: list[Request]) -> None:
    run(app, "train", "--layers-from", "pretrained", "--online-steps", 7, "--learning-rate", 0.3)
    options = trainings[0].options
    assert (options.prediction, options.timestep_edges) == ("preconditioned", (100, 200, 350, 550))
    assert (options.online_steps, options.learning_rate, options.phase_decay) == (7, 0.3, 0.01)
    assert options.batch == TrainingOptions().batch
    with pytest.raises(UserError, match="layer_sets = 4"):
        run(app, "train", "--layers-from", "pretrained", "--layer-sets", 4)


def test_generate_asks_for_what_is_given_alone(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[GenerationRequest] = []
    monkeypatch.setattr(
        "labdiff.cli.generated_picture.generate_picture",
        lambda request, out: asked.append(request),
    )
    run(app, "generate")
    run(app, "generate", "run.h5", "--steps", 20, "--eta", 0.5, "--class", 3)
    run(app, "generate", "--sampler-steps", 20, "--spacing", "linspace")
    assert asked[0] == GenerationRequest()
    assert asked[1] == GenerationRequest(
        Path("run.h5"), label=3, sampler={"sampler_steps": 20, "eta": 0.5}
    )
    assert asked[2].sampler == {"sampler_steps": 20, "sampler_spacing": "linspace"}
