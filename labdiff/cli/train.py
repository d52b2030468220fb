"""The command `labdiff train`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.cli.arguments import (
    DEFAULT_BENCH,
    BenchArgument,
    Cluster,
    DataDir,
    Json,
    Out,
    Workers,
    WorkersOn,
    Yes,
    by_workers,
    one_bench,
)
from labdiff.cli.lazy_command import add_lazily
from labdiff.errors import UserError

if TYPE_CHECKING:
    from labdiff.config.option import Value
    from labdiff.config.training import TrainingOptions
    from labdiff.jobs.training_job import Request

SUMMARY = "Train an optical denoising unit on a bench, or resume a stopped run."


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_lazily(app, "train", SUMMARY, _command)


def _command() -> Callable[..., None]:
    from labdiff.cli.generated_options import GeneratedCommand, OptionSource
    from labdiff.config.training import GROUPS

    return GeneratedCommand(_train, TrainArguments, OptionSource(GROUPS))


@dataclass(frozen=True, slots=True)
class TrainArguments:
    """What `labdiff train` takes beside the training options."""

    bench_file: BenchArgument = None
    bench: Annotated[
        str | None,
        typer.Option(
            "--bench",
            "-b",
            help="Bench file, or a shipped bench (mock if left out); beside --resume the run's bench "
            "has to be the same.",
        ),
    ] = None
    out: Out = Path("runs/train")
    options: Annotated[
        Path | None,
        typer.Option(help="File of training options (TOML); what is given here too counts first."),
    ] = None
    data_dir: DataDir = None
    resume: Annotated[Path | None, typer.Option(help="Run file to resume.")] = None
    yes: Yes = False
    layers_from: Annotated[
        str | None,
        typer.Option(
            help="Layer file, or 'pretrained', instead of training offline; brings its options."
        ),
    ] = None
    recalibrate: Annotated[
        bool, typer.Option("--recalibrate", help="Use no stored calibration, measure all.")
    ] = False
    workers: Workers = None
    workers_on: WorkersOn = "auto"
    cluster: Cluster = None
    remote: Annotated[
        str | None,
        typer.Option(help="Use the bench that is served there (labdiff bench serve), HOST:PORT."),
    ] = None
    as_json: Json = False


def _train(arguments: TrainArguments, given: Mapping[str, Value]) -> None:
    from labdiff.cli.training_run import run_experiment
    from labdiff.jobs.bench_of_file import Consent
    from labdiff.jobs.training_job import Request
    from labdiff.session.layer_file import layer_path

    a = arguments
    bench = one_bench(a.bench_file, a.bench)
    elsewhere = by_workers(a.workers, a.workers_on, a.cluster)
    if a.resume is not None:
        for name, value in (("--layers-from", a.layers_from), ("--options", a.options)):
            if value is not None:
                raise UserError(f"{name}: a resumed run has its own; leave it out")
        consent = Consent(bench, a.yes)
        request = Request(
            resume=a.resume, data_dir=a.data_dir, remote=a.remote, consent=consent, **elsewhere
        )
        _resume(request, a.as_json)
        return
    layers = layer_path(a.layers_from) if a.layers_from is not None else None
    options = _options(a.options, given, layers)
    request = Request(
        bench or DEFAULT_BENCH,
        a.out,
        options,
        a.data_dir,
        calibrations=None if a.recalibrate else _archive(a, options.seed),
        start_from=layers,
        remote=a.remote,
        **elsewhere,
    )
    run_experiment(request, a.as_json)


def _resume(request: Request, as_json: bool) -> None:
    """Resume a run; a person at a terminal is asked about the devices of a bench that is not known here."""
    from labdiff.cli.training_run import run_experiment
    from labdiff.jobs.bench_of_file import BenchNotConfirmedError, Consent

    try:
        run_experiment(request, as_json)
    except BenchNotConfirmedError as error:
        if not sys.stdin.isatty():
            raise
        print(error, file=sys.stderr)
        if not typer.confirm("Drive these devices?"):
            raise
        run_experiment(replace(request, consent=Consent(confirmed=True)), as_json)


def _options(file: Path | None, given: Mapping[str, Value], layers: Path | None) -> TrainingOptions:
    """Return the options: those given, then the file's, then those recommended for the data set.

    Args:
        file: Options file, or None.
        given: Options given on the command line, by name.
        layers: Layer file that brings what it was made for, or None.
    """
    from labdiff.config.options_file import read_options
    from labdiff.jobs.chosen_options import chosen_options

    chosen = {**(read_options(file) if file is not None else {}), **given}
    return chosen_options(chosen, layers, "options" if file is None else f"{file} and command line")


def _archive(arguments: TrainArguments, seed: int) -> Path:
    from labdiff.bench.origin import archive_folder
    from labdiff.config.bench import load_bench

    if arguments.remote is not None:
        return Path("runs", "calibration", "remote-" + arguments.remote.replace(":", "-"))
    simulated = load_bench(arguments.bench or DEFAULT_BENCH).camera.driver == "mock"
    return archive_folder(arguments.bench or DEFAULT_BENCH, simulated, seed)
