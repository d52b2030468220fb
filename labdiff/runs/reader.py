"""Read a run file: columns, figures, pictures and checkpoint; nothing in it is executed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from calibration.hdf5_reading import (
    StrangeFileError,
    names,
    open_hdf5,
    read_group,
    read_number,
    read_text,
    read_values,
)
from calibration.result_file import Result
from labdiff.config.simulated import simulated_in
from labdiff.errors import UserError, reading
from labdiff.owner import living_owner
from labdiff.runs.format import FORMAT, check_format
from labdiff.runs.recorded_parts import (
    read_arrays,
    read_columns,
    read_figures,
    read_generated,
    read_pictures,
    read_results,
)

DEFINITION = "labdiff_run"
"""Kind of a run file, in its entry's attribute "definition"."""
RUN_FORMAT = 2
"""Number of the run files' format: 2 has the data's path, checksum and classes in its checkpoint."""
RUNNING, DIED = "running", "died"
"""Outcomes of a run that has not said how it ended: its program records, or was killed."""
OUTCOMES = (RUNNING, "completed", "stopped", "failed")
"""Outcomes that a run file states."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A recorded run. columns[kind][name] holds one number (or text) for each event of that kind.

    outcome: "completed", "stopped", "failed", "running", or "died": its program ended without a word.
    calibration: the latest result of each routine; checkpoint_results: those that the job worked with
    at its checkpoint. calibrations: the bench's calibration folder, None if it had none.
    """

    path: Path
    outcome: str
    reason: str
    start_time: str
    bench_text: str
    options_json: str
    seed: int
    calibrations: Path | None
    versions: dict[str, str]
    columns: dict[str, dict[str, npt.NDArray[Any]]]
    calibration: dict[str, Result]
    figures: dict[str, float]
    pictures: dict[str, npt.NDArray[np.float32]]
    generated: dict[str, npt.NDArray[np.float32]]
    checkpoint: dict[str, npt.NDArray[Any]]
    checkpoint_scalars: dict[str, float | int | str]
    checkpoint_results: dict[str, Result]

    @property
    def simulated(self) -> str:
        """What of the run's bench was simulated, in one sentence; "" if nothing was."""
        return simulated_in(self.bench_text)


def read_run(path: Path) -> RunFile:
    """Read a run file. Raises UserError if it is missing, not HDF5, damaged, or no labdiff run.

    Example:
        loss = read_run(Path("runs/demo/run.h5")).columns["training"]["bench_mse"]
    """
    with run_entry(path) as entry:
        return _read_entry(path, entry)


@contextmanager
def run_entry(path: Path) -> Iterator[h5py.Group]:
    """Open a run file and yield its entry. Raises UserError like `read_run`."""
    if not path.is_file():
        raise UserError(f"{path}: no such run file. 'labdiff demo --out FOLDER' makes one.")
    with reading(path, "a run file (.h5) that labdiff recorded, whole"), open_hdf5(path) as file:
        if "entry" not in names(file):
            raise UserError(f"{path}: an HDF5 file, but not one that labdiff recorded")
        entry = file["entry"]
        if not isinstance(entry, h5py.Group) or read_text(entry, "definition", "") != DEFINITION:
            raise UserError(f"{path}: an HDF5 file, but not one that labdiff recorded")
        check_format(path, int(read_number(entry, FORMAT, 1)), RUN_FORMAT)
        yield entry


def read_outcome(path: Path, entry: h5py.Group) -> str:
    """Return how a run ended: "running" if a program still records in it, "died" if that is gone."""
    outcome = read_text(entry, "outcome", RUNNING)
    if outcome not in OUTCOMES:
        raise StrangeFileError(f"/entry/outcome: {outcome[:20]!r}; expected one of {OUTCOMES}")
    return DIED if outcome == RUNNING and living_owner(path) is None else outcome


def _read_entry(path: Path, entry: h5py.Group) -> RunFile:
    members = names(entry)
    config = read_group(entry, "config")
    calibrations = read_text(config, "calibrations", "")
    checkpoint = read_group(entry, "checkpoint") if "checkpoint" in members else None
    return RunFile(
        path=path,
        outcome=read_outcome(path, entry),
        reason=read_text(entry, "reason", ""),
        start_time=read_text(entry, "start_time"),
        bench_text=read_text(config, "bench"),
        options_json=read_text(config, "options"),
        seed=int(read_number(config, "seed")),
        calibrations=Path(calibrations) if calibrations else None,
        versions={
            name.removeprefix("version_"): read_text(entry, name)
            for name in entry.attrs
            if name.startswith("version_")
        },
        columns=read_columns(read_group(entry, "events")),
        calibration=read_results(entry),
        figures=read_figures(entry),
        pictures=read_pictures(entry),
        generated=read_generated(entry),
        checkpoint={} if checkpoint is None else read_arrays(checkpoint),
        checkpoint_scalars={} if checkpoint is None else read_values(checkpoint),
        checkpoint_results={} if checkpoint is None else read_results(checkpoint),
    )
