"""Arguments that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

from labdiff.errors import UserError

DEFAULT_BENCH = "mock"
Bench = Annotated[
    str | None,
    typer.Option("--bench", "-b", help=f"Bench file, or a shipped bench ({DEFAULT_BENCH})."),
]
BenchArgument = Annotated[
    str | None, typer.Argument(metavar="BENCH", help="Bench file, or a shipped bench; as --bench.")
]
BenchHere = Annotated[
    str | None,
    typer.Option("--bench", "-b", help="Your bench file: the file's bench has to be the same."),
]
Yes = Annotated[
    bool,
    typer.Option("--yes", help="Drive the devices of a file's bench that was never opened here."),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the run file and the report.")]
Seed = Annotated[int, typer.Option(help="Seed of data, training and mock laboratory.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON line, last.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", help="Number of processes that run at the same time.", min=1),
]
WorkersOn = Annotated[
    str, typer.Option("--on", help="auto, local, or ray: auto takes Ray where it is installed.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="Ray cluster to run on, HOST:PORT of its head.")
]
Remote = Annotated[
    str, typer.Option("--remote", help="Ray cluster that serves a bench, HOST:PORT of its head.")
]


def one_bench(argument: str | None, option: str | None) -> str | None:
    """Return the bench that is named as an argument or by --bench; None if it is named nowhere.

    Raises:
        UserError: If two benches are named.
    """
    if argument is not None and option is not None and argument != option:
        raise UserError(
            f"two benches are given: {argument}, and --bench {option}; name one of them"
        )
    return argument if option is None else option


class WorkerFields(TypedDict):
    """Fields of a request that say on how many processes it runs, and where these are."""

    workers: int
    workers_on: str
    cluster: str | None


def by_workers(workers: int | None, on: str, cluster: str | None) -> WorkerFields:
    """Return a request's fields for workers.

    Args:
        workers: Number of workers, or None for none.
        on: Where they run: auto, local or ray.
        cluster: Address of a Ray cluster, or None.

    Raises:
        UserError: If it is given where workers run, but not how many.
    """
    if workers is None and (on != "auto" or cluster is not None):
        named = "--on" if cluster is None else "--cluster"
        raise UserError(f"{named}: names where workers run; give their number too, as --workers 2")
    return {"workers": workers or 0, "workers_on": on, "cluster": cluster}
