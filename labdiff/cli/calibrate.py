"""The command `labdiff calibrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import Bench, Json, Seed

EXIT_STALE = 1
"""Exit code of `labdiff calibrate --check` when something no longer holds."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("calibrate")(_calibrate)


def _calibrate(
    bench: Bench = "mock",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the calibrations, if not the usual."),
    ] = None,
    seed: Seed = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Measure all, whatever is stored.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Measure this routine alone.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Look at the bench, measure nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at the bench with a dozen frames and measure anew what no longer holds, and only that."""
    from labdiff.job import run
    from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.calibration_report import write_calibration_report
    from labdiff.reports.progress_bar import ProgressBar

    request = CalibrationRequest(bench, seed, out, everything, tuple(only or ()), check)
    prepared = CalibrationJob(request)
    try:
        with StopOnSignal() as stop, ProgressBar() as progress:
            done = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    finally:
        # What failed is told there too.
        page = write_calibration_report(prepared.archive, prepared.calibrated.config)
    print(f"calibrations  {prepared.archive.folder}\nreport        {page}")
    if as_json:
        print(json.dumps(prepared.figures(done)))
    if check and any(finding.state != "fresh" for finding in done.findings):
        raise typer.Exit(EXIT_STALE)
