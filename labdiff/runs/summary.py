"""A short description of each run for a list of runs, read without the run's arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from labdiff.config.toml_text import parse_toml
from labdiff.errors import UserError
from labdiff.runs.reader import run_entry

BLOCK = 4096
"""Number of rows that are read at once."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run file. problem: why the file cannot be read; then no other field is known.

    started: ISO 8601, UTC. bench: the bench's name. steps: number of training steps. bench_mse,
    discrepancy: of the last step that has them, NaN if none has. images: number of generated images.
    """

    path: Path
    started: str = ""
    outcome: str = ""
    reason: str = ""
    seed: int | None = None
    bench: str = ""
    steps: int = 0
    bench_mse: float = math.nan
    discrepancy: float = math.nan
    images: int = 0
    problem: str = ""


def read_summary(path: Path) -> RunSummary:
    """Read a run's summary. Raises UserError like `labdiff.runs.reader.read_run`."""
    with run_entry(path) as entry:
        training = entry["events"].get("training", {})
        generated = entry.get("generated", {})
        return RunSummary(
            path=path,
            started=str(entry.attrs["start_time"]),
            outcome=str(entry.attrs.get("outcome", "running")),
            reason=str(entry.attrs.get("reason", "")),
            seed=int(entry["config"].attrs["seed"]),
            bench=_bench_name(str(entry["config"].attrs["bench"])),
            steps=len(training["step"]) if "step" in training else 0,
            bench_mse=_last(training, "bench_mse"),
            discrepancy=_last(training, "discrepancy"),
            images=len(generated["images"]) if "images" in generated else 0,
        )


def _bench_name(text: str) -> str:
    try:
        return str(parse_toml(text, "bench").get("name", ""))
    except UserError:
        return ""


def _last(table: h5py.Group | dict[str, h5py.Dataset], name: str) -> float:
    """Return the last finite value of a column, searched from its end; NaN if there is none."""
    if name not in table:
        return math.nan
    column = table[name]
    for end in range(len(column), 0, -BLOCK):
        values = column[max(end - BLOCK, 0) : end]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            return float(values[known[-1]])
    return math.nan
