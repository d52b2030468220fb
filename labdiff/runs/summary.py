"""A short description of each run for a list of runs, read without the run's arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from calibration.hdf5_reading import find_array, names, read_group, read_number, read_text
from labdiff.config.toml_text import parse_toml
from labdiff.errors import UserError
from labdiff.runs.reader import read_outcome, run_entry
from labdiff.runs.recorded_parts import read_figures

BLOCK = 4096
"""Number of rows that are read at once."""

SCORES = (
    "mse_online_bench",
    "mse_retrained_bench",
    "mse_calibrated_bench",
    "mse_offline_bench",
    "mse_offline_twin",
)
"""Figures that score the layers of a run over all t, the last one that a run measures first."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run file. problem: why the file cannot be read; then no other field is known.

    started: ISO 8601, UTC. bench: the bench's name. steps: number of training steps. mse: noise MSE over
    all t of the last layers that were scored; scored: name of that figure, "" if none was; wiener_mse:
    that of the best linear predictor on the same images. discrepancy: at the end, or of the last step that
    has one. Numbers are NaN where the run has none. images: number of generated images.
    """

    path: Path
    started: str = ""
    outcome: str = ""
    reason: str = ""
    seed: int | None = None
    bench: str = ""
    steps: int = 0
    mse: float = math.nan
    scored: str = ""
    wiener_mse: float = math.nan
    discrepancy: float = math.nan
    images: int = 0
    problem: str = ""


def read_summary(path: Path) -> RunSummary:
    """Read a run's summary. Raises UserError like `labdiff.runs.reader.read_run`."""
    with run_entry(path) as entry:
        training = _member(read_group(entry, "events"), "training")
        figures = read_figures(entry)
        scored = next((name for name in SCORES if name in figures), "")
        generated, config = _member(entry, "generated"), read_group(entry, "config")
        return RunSummary(
            path=path,
            started=read_text(entry, "start_time"),
            outcome=read_outcome(path, entry),
            reason=read_text(entry, "reason", ""),
            seed=int(read_number(config, "seed")),
            bench=_bench_name(read_text(config, "bench")),
            steps=_length(training, "step", 1),
            mse=figures.get(scored, math.nan),
            scored=scored,
            wiener_mse=figures.get("mse_wiener", math.nan),
            discrepancy=figures.get("discrepancy_after", _last(training, "discrepancy")),
            images=_length(generated, "images", 3),
        )


def _member(group: h5py.Group, name: str) -> h5py.Group | None:
    return read_group(group, name) if name in names(group) else None


def _length(group: h5py.Group | None, name: str, dimensions: int) -> int:
    if group is None or name not in names(group):
        return 0
    return len(find_array(group, name, dimensions=dimensions))


def _bench_name(text: str) -> str:
    try:
        return str(parse_toml(text, "bench").get("name", ""))
    except UserError:
        return ""


def _last(table: h5py.Group | None, name: str) -> float:
    """Return the last finite value of a column, searched from its end; NaN if there is none."""
    if table is None or name not in names(table):
        return math.nan
    column = find_array(table, name, dimensions=1)
    for end in range(len(column), 0, -BLOCK):
        values = column[max(end - BLOCK, 0) : end]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            return float(values[known[-1]])
    return math.nan
