"""The table of a sweep: a row for each trial, as a CSV file and on the screen."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.sweep.sweep_file import Trial

SHOWN = ("mse_online_bench", "mse_retrained_bench", "mse_offline_twin", "mse_wiener", "seconds")
"""Figures that the screen shows if a trial has them; the file has all figures."""


@dataclass(slots=True)
class Outcome:
    """The state of a trial. figures: those that it has so far, by name; reason: why it failed."""

    trial: Trial
    outcome: str = "waiting"
    figures: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def write_table(path: Path, outcomes: list[Outcome]) -> None:
    """Write the table as CSV, in one step. Raises UserError if it cannot be written."""
    keys = list(outcomes[0].trial.values)
    names = sorted({name for outcome in outcomes for name in outcome.figures})
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", *keys, "outcome", *names, "file", "reason"])
    for outcome in outcomes:
        trial = outcome.trial
        rows.writerow(
            [
                trial.number,
                *(_as_text(trial.values[key]) for key in keys),
                outcome.outcome,
                *(repr(outcome.figures[name]) if name in outcome.figures else "" for name in names),
                trial.file_name,
                outcome.reason.strip().splitlines()[-1] if outcome.reason else "",
            ]
        )
    try:
        write_atomically(path, text.getvalue().encode())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def screen_table(outcomes: list[Outcome]) -> Table:
    """Return the table for the screen, with the main figures."""
    keys = list(outcomes[0].trial.values)
    names = [name for name in SHOWN if any(name in outcome.figures for outcome in outcomes)]
    table = Table(title="Trials", title_justify="left")
    for column in ("trial", *(key.partition(".")[2] for key in keys), "outcome", *names):
        table.add_column(column, overflow="fold")
    for outcome in outcomes:
        figures = [f"{outcome.figures[n]:.4g}" if n in outcome.figures else "" for n in names]
        values = (_as_text(outcome.trial.values[key]) for key in keys)
        table.add_row(str(outcome.trial.number), *values, outcome.outcome, *figures)
    return table


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
