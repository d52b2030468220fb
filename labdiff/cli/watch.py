"""The command `labdiff watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(_watch)


def _watch(
    run_file: Annotated[Path, typer.Argument(help="Run file, or the folder that holds run.h5.")],
    once: Annotated[bool, typer.Option("--once", help="Show the present state, and end.")] = False,
    every_s: Annotated[
        float, typer.Option("--every", help="Seconds between two updates.", min=0.2, max=3600.0)
    ] = 1.0,
) -> None:
    """Follow a growing run in the terminal until it ends; Ctrl-C does not stop the run."""
    import time

    from rich.console import Console
    from rich.live import Live

    from labdiff.jobs.training_job import RUN_FILE
    from labdiff.reports.run_terminal import run_view
    from labdiff.runs.reader import RUNNING, read_run

    path = run_file / RUN_FILE if run_file.is_dir() else run_file
    run = read_run(path)
    console = Console()
    if once or not console.is_terminal:
        console.print(run_view(run, time.time()))
        return
    # A screen of its own would be gone at the end; the last state is to stay.
    with Live(run_view(run, time.time()), console=console, auto_refresh=False) as live:
        while run.outcome == RUNNING:
            try:
                time.sleep(every_s)
            except KeyboardInterrupt:
                return
            run = read_run(path)
            live.update(run_view(run, time.time()), refresh=True)
