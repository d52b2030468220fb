"""What a list of runs says of each, read without its arrays."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from labdiff.runs.reader import run_entry

BLOCK = 4096


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run file; words say what is wrong with it, and then nothing else is known.

    started: ISO 8601, UTC. bench: its name. steps: of training. bench_mse, discrepancy: of the last step
    that has them, not a number if none has. images: how many were generated.
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
    words: str = ""


def read_summary(path: Path) -> RunSummary:
    """Read it. Raises UserError as `labdiff.runs.reader.read_run`."""
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
        return str(tomllib.loads(text).get("name", ""))
    except tomllib.TOMLDecodeError:
        return ""


def _last(table: h5py.Group | dict[str, h5py.Dataset], name: str) -> float:
    """The last finite value, looked for from the end."""
    if name not in table:
        return math.nan
    column = table[name]
    for end in range(len(column), 0, -BLOCK):
        values = column[max(end - BLOCK, 0) : end]
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            return float(values[known[-1]])
    return math.nan
