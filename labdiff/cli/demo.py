"""The command `labdiff demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import Bench, Json, Out, Seed
from labdiff.cli.training_run import run_experiment

DEMO_FOLDER = Path("runs/demo")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(_demo)


def _demo(
    out: Out = DEMO_FOLDER,
    bench: Bench = "mock",
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option(help="A minute instead of minutes; worse images.")] = False,
    as_json: Json = False,
) -> None:
    """The main job on the mock bench: offline, calibrate, learn online, generate, report."""
    from labdiff.config.training import TrainingOptions, quick_options
    from labdiff.jobs.training_job import Request

    options = quick_options(seed) if quick else TrainingOptions(seed=seed)
    run_experiment(Request(bench, _fresh(out), options), as_json)


def _fresh(out: Path) -> Path:
    """The folder, or for a default one the next free with a number: it never overwrites or refuses."""
    candidate, number = out, 1
    while (candidate / "run.h5").exists() and out == DEMO_FOLDER:
        number += 1
        candidate = out.with_name(f"{out.name}-{number}")
    return candidate
