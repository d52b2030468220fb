"""The command `labdiff reproduce`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import DataDir
from labdiff.cli.lazy_command import add_lazily
from labdiff.config.option import Value
from labdiff.errors import UserError

SUMMARY = "Reproduce a result of the paper: a picture, and a table of ours beside the paper's."


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_lazily(app, "reproduce", SUMMARY, _command)


def _command() -> Callable[..., None]:
    from labdiff.cli.generated_options import GeneratedCommand, OptionSource
    from labdiff.config.training import COMPUTING

    return GeneratedCommand(_reproduce, ReproduceArguments, OptionSource((COMPUTING,)))


@dataclass(frozen=True, slots=True)
class ReproduceArguments:
    """What `labdiff reproduce` takes."""

    name: Annotated[str, typer.Argument(help="A result of the paper, as table1.")]
    scale: Annotated[
        str, typer.Option(help="small (minutes on two cores) or paper (its sizes).")
    ] = "small"
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path(
        "runs/reproduce"
    )
    data_dir: DataDir = None
    seed: Annotated[int, typer.Option(help="Seed of data and training.", min=0)] = 0
    bench: Annotated[
        list[str] | None,
        typer.Option("--bench", "-b", help="Bench file or shipped bench; may be repeated."),
    ] = None
    watts: Annotated[
        float | None,
        typer.Option(help="Power of this computer at work, for energies; else left empty."),
    ] = None
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON line, last.")
    ] = False


def _reproduce(arguments: ReproduceArguments, computing: Mapping[str, Value]) -> None:
    """Reproduce a result of the paper: a picture, and a table of ours beside the paper's."""
    from labdiff.cli.outputs import check_output_folder
    from labdiff.config.bench import SHIPPED
    from labdiff.config.device import choose_device
    from labdiff.job import run
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.progress_bar import ProgressBar
    from labdiff.reproduce.context import Context
    from labdiff.reproduce.results import open_result

    a = arguments
    if a.scale not in ("small", "paper"):
        raise UserError(f"--scale {a.scale}: allowed are small, paper")
    if a.watts is not None and not 0.0 < a.watts < 1e6:
        raise UserError(f"--watts {a.watts:g}: allowed is more than 0 and less than 1,000,000")
    if "device" in computing:
        choose_device(str(computing["device"]))
    context = Context(
        name=a.name,
        out=a.out,
        scale="small" if a.scale == "small" else "paper",
        data_dir=a.data_dir,
        seed=a.seed,
        benches=tuple(a.bench or SHIPPED),
        watts=a.watts,
    )
    job = open_result(a.name, context)
    check_output_folder(a.out)
    with StopOnSignal() as stop, ProgressBar() as progress:
        finding = run(job, watch=[progress], should_stop=stop.requested)
    files = [str(path) for path in finding.write(a.out, a.name)]
    print(finding.sentence)
    for file in files:
        print(f"wrote {file}")
    if a.as_json:
        summary = {"name": a.name, "scale": a.scale, "seed": a.seed, "sentence": finding.sentence}
        print(json.dumps({**summary, "rows": finding.rows, "files": files}))
