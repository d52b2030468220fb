"""The command `labdiff sweep`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import Cluster, WorkersOn
from labdiff.errors import JobStoppedError, UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(_sweep)


def _sweep(
    sweep_file: Annotated[
        Path, typer.Argument(help="Sweep file: options that all trials share, and those to vary.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of run files and table (else runs/NAME)."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Trials at the same time.", min=1)] = 2,
    workers_on: WorkersOn = "auto",
    cluster: Cluster = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON, last.")] = False,
) -> None:
    """Train every combination of a grid of options; on the same folder again, only what is not done."""
    from rich.console import Console

    from labdiff.job import run
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.progress_bar import ProgressBar
    from labdiff.sweep.driver import SweepDriver
    from labdiff.sweep.sweep_file import read_sweep
    from labdiff.sweep.table import screen_table
    from labdiff.workers.choose import chosen_workers

    sweep = read_sweep(sweep_file)
    folder = out or Path("runs") / sweep.name
    chosen = chosen_workers(workers, workers_on, cluster)
    driver = SweepDriver(sweep, folder, chosen, data_dir)
    with StopOnSignal() as stop, ProgressBar() as progress:
        try:
            run(driver.job(), watch=[progress], should_stop=stop.requested)
        except JobStoppedError as error:
            raise JobStoppedError("resume with the same command, on the same folder") from error
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "110"))
    Console(width=width).print(screen_table(driver.outcomes))
    print(f"table  {driver.table}")
    if as_json:
        rows = [
            {"trial": o.trial.number, **o.trial.values, "outcome": o.outcome, **o.figures}
            for o in driver.outcomes
        ]
        print(json.dumps(rows))
    failed = [o for o in driver.outcomes if o.outcome == "failed"]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(driver.outcomes)} trials failed, trial {failed[0].trial.number} "
            f"with: {failed[0].reason.strip().splitlines()[-1]}"
        )
