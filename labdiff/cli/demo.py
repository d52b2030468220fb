"""The command `labdiff demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import DEFAULT_BENCH, Bench, BenchArgument, Json, Out, Seed, one_bench
from labdiff.cli.training_run import run_experiment

DEMO_FOLDER = Path("runs/demo")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(_demo)


def _demo(
    bench_file: BenchArgument = None,
    out: Out = DEMO_FOLDER,
    bench: Bench = None,
    seed: Seed = 0,
    quick: Annotated[
        bool, typer.Option(help="Take a minute instead of minutes, for worse images.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the main job on the mock bench: train offline, calibrate, train online, generate, report."""
    from labdiff.config.training import TrainingOptions, quick_options
    from labdiff.jobs.training_job import Request

    options = quick_options(seed) if quick else TrainingOptions(seed=seed)
    chosen = one_bench(bench_file, bench) or DEFAULT_BENCH
    run_experiment(Request(chosen, _fresh(out), options), as_json)


def _fresh(out: Path) -> Path:
    """Return the folder; in place of the default one the next free one with a number."""
    candidate, number = out, 1
    while (candidate / "run.h5").exists() and out == DEMO_FOLDER:
        number += 1
        candidate = out.with_name(f"{out.name}-{number}")
    return candidate
