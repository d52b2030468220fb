"""Arguments that several commands understand alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labdiff.errors import UserError

Bench = Annotated[str, typer.Option("--bench", "-b", help="Bench file, or a shipped bench.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the run file and the report.")]
Seed = Annotated[int, typer.Option(help="Seed of data, training and mock laboratory.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON line, last.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")]
Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes at work at the same time.", min=1)
]
WorkersOn = Annotated[
    str, typer.Option("--on", help="auto, local, or ray: auto takes Ray where it is installed.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="Ray cluster to work on, HOST:PORT of its head.")
]
Remote = Annotated[
    str, typer.Option("--remote", help="Ray cluster that serves a bench, HOST:PORT of its head.")
]


def by_workers(workers: int | None, on: str, cluster: str | None) -> dict[str, Any]:
    """What a request says of workers. Raises UserError if there is more said of them than that."""
    if workers is None and (on != "auto" or cluster is not None):
        named = "--on" if cluster is None else "--cluster"
        raise UserError(f"{named}: says where workers are; say how many too, as --workers 2")
    return {"workers": workers or 0, "workers_on": on, "cluster": cluster}
