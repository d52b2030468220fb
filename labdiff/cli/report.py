"""The command `labdiff report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("report")(_report)


def _report(
    run_file: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="HTML file.")] = None,
) -> None:
    """Write a run as one self-contained HTML page."""
    from labdiff.cli.outputs import check_output_file
    from labdiff.reports.run_report import write_report
    from labdiff.runs.reader import read_run

    page = out or run_file.with_name("report.html")
    run = read_run(run_file)
    check_output_file(page)
    print(f"wrote {write_report(run, page)}")
