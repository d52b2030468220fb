"""A training in the terminal: progress, figures, report."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from labdiff.errors import JobStoppedError


def run_experiment(request: Any, as_json: bool) -> None:
    """Run a training request to its end, print its figures and write its report."""
    from labdiff.config.simulated import simulated_devices
    from labdiff.job import run
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.jobs.training_job import ExperimentJob
    from labdiff.reports.progress_bar import ProgressBar

    prepared = ExperimentJob(request)
    recorder = prepared.recorder
    with StopOnSignal() as stop, ProgressBar() as progress:
        record = [recorder] if recorder else []
        try:
            figures = run(
                prepared.job(), record=record, watch=[progress], should_stop=stop.requested
            )
        except JobStoppedError as error:
            if recorder is None:
                raise
            how = f" --workers {request.workers}" if request.workers else ""
            how += f" --remote {request.remote}" if request.remote else ""
            raise JobStoppedError(
                f"resume with: labdiff train --resume {recorder.path}{how}"
            ) from error
    _print_table("Figures", figures)
    simulated = simulated_devices(prepared.session.calibrated.config)
    if simulated:
        print(simulated)
    if recorder is not None:
        _print_report(recorder.path)
    if as_json:
        print(json.dumps({**figures, "simulated": simulated}))


def _print_report(run_file: Path) -> None:
    from labdiff.reports.run_report import write_report
    from labdiff.runs.reader import read_run

    page = write_report(read_run(run_file), run_file.with_name("report.html"))
    print(f"run     {run_file}\nreport  {page}")


def _print_table(title: str, figures: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    from labdiff.reports.labels import FIGURE_LABELS

    table = Table(title=title, show_header=False, title_justify="left")
    order = {name: place for place, name in enumerate(FIGURE_LABELS)}
    for name, value in sorted(figures.items(), key=lambda item: order.get(item[0], len(order))):
        shown = f"{value:.1%}" if name.startswith("recognised") else f"{value:.4g}"
        table.add_row(name, shown, FIGURE_LABELS.get(name, ""))
    Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "110"))).print(
        table
    )
