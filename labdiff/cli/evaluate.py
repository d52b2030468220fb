"""The command `labdiff evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.cli.arguments import BenchHere, DataDir, Json, Yes
from labdiff.cli.lazy_command import add_lazily
from labdiff.errors import UserError

if TYPE_CHECKING:
    from labdiff.config.option import Value

SUMMARY = "Score trained layers: errors by timestep range, and FID, KID of generated images."


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_lazily(app, "evaluate", SUMMARY, _command)


def _command() -> Callable[..., None]:
    from labdiff.cli.generated_options import GeneratedCommand, OptionSource
    from labdiff.config.training import COMPUTING

    return GeneratedCommand(_evaluate, EvaluateArguments, OptionSource((COMPUTING,)))


@dataclass(frozen=True, slots=True)
class EvaluateArguments:
    """What `labdiff evaluate` takes."""

    run_file: Annotated[Path, typer.Argument(help="A run file with trained layers.")]
    where: Annotated[str, typer.Option(help="twin or bench.")] = "twin"
    count: Annotated[int, typer.Option(help="Images to generate.", min=2)] = 1000
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.", min=0)] = 0
    inception_weights: Annotated[
        Path | None, typer.Option(help="Weights of the FID Inception (else LABDIFF_DATA).")
    ] = None
    light_off: Annotated[
        bool, typer.Option("--light-off/--no-light-off", help="Score images without light too.")
    ] = True
    data_dir: DataDir = None
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for tables and figures.")
    ] = None
    bench: BenchHere = None
    yes: Yes = False
    as_json: Json = False


def _evaluate(arguments: EvaluateArguments, options: Mapping[str, Value]) -> None:
    """Score trained layers: errors by timestep range, and FID, KID of generated images."""
    from labdiff.cli.outputs import check_output_folder
    from labdiff.job import run
    from labdiff.jobs.bench_of_file import Consent
    from labdiff.jobs.evaluation_job import EvaluationJob, EvaluationRequest
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.evaluation_report import (
        evaluation_figures,
        print_evaluation,
        write_evaluation,
    )
    from labdiff.reports.progress_bar import ProgressBar

    if arguments.where not in ("twin", "bench"):
        raise UserError(f"--where {arguments.where}: allowed are twin, bench")
    request = EvaluationRequest(
        arguments.run_file,
        "bench" if arguments.where == "bench" else "twin",
        arguments.count,
        arguments.seed,
        arguments.inception_weights,
        arguments.data_dir,
        arguments.light_off,
        Consent(arguments.bench, arguments.yes),
        options,
    )
    if arguments.out is not None:
        check_output_folder(arguments.out)
    prepared = EvaluationJob(request)
    with StopOnSignal() as stop, ProgressBar() as progress:
        found = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    print_evaluation(found)
    if arguments.out is not None:
        write_evaluation(found, arguments.out)
        print(f"wrote {arguments.out}")
    if arguments.as_json:
        print(json.dumps(evaluation_figures(found)))
