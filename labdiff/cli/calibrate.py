"""The command `labdiff calibrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labdiff.cli.arguments import DEFAULT_BENCH, Bench, BenchArgument, Json, Seed, one_bench

EXIT_STALE = 1
"""Exit code of `labdiff calibrate --check` when a calibration is not valid any more."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("calibrate")(_calibrate)


def _calibrate(
    bench_file: BenchArgument = None,
    bench: Bench = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the calibrations (else that of the bench)."),
    ] = None,
    seed: Seed = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Measure every routine, whatever is stored.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure this routine only; may be repeated.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the stored calibrations, measure none.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the stored calibrations with a dozen frames, and measure those that are not valid any more."""
    from labdiff.job import run
    from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.calibration_report import write_calibration_report
    from labdiff.reports.progress_bar import ProgressBar

    chosen = one_bench(bench_file, bench) or DEFAULT_BENCH
    request = CalibrationRequest(chosen, seed, out, everything, tuple(only or ()), check)
    prepared = CalibrationJob(request)
    try:
        with StopOnSignal() as stop, ProgressBar() as progress:
            done = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    finally:
        # What failed is in the report too.
        page = write_calibration_report(prepared.archive, prepared.calibrated.config)
    print(f"calibrations  {prepared.archive.folder}\nreport        {page}")
    if simulated := prepared.calibrated.bench.simulated:
        print(simulated)
    if as_json:
        print(json.dumps(prepared.figures(done)))
    if check and any(finding.state not in ("fresh", "left out") for finding in done.findings):
        raise typer.Exit(EXIT_STALE)
