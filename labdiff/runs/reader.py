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

from calibration.result import CalibrationError
from calibration.result_file import Result, read_result
from labdiff.errors import UserError

_READ_ERRORS = (
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    CalibrationError,
)
"""Errors that h5py raises for a damaged file, or where an object is of another kind than expected."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A recorded run. columns[kind][name] holds one number (or text) for each event of that kind.

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
    checkpoint_scalars: dict[str, Any]
    checkpoint_results: dict[str, Result]


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
    try:
        with h5py.File(path, "r") as file:
            entry = file.get("entry")
            if not isinstance(entry, h5py.Group) or entry.attrs.get("definition") != "labdiff_run":
                raise UserError(f"{path}: an HDF5 file, but not one that labdiff recorded")
            yield entry
    except _READ_ERRORS as error:
        raise UserError(
            f"{path}: not a readable HDF5 file ({error}). It may be cut off or another format; "
            f"run files end in .h5."
        ) from None


def _read_entry(path: Path, entry: h5py.Group) -> RunFile:
    def group(name: str) -> dict[str, npt.NDArray[Any]]:
        found = entry[name].items() if name in entry else ()
        return {k: np.asarray(v[()]) for k, v in found if isinstance(v, h5py.Dataset)}

    def results(name: str) -> dict[str, Result]:
        return {k: read_result(v) for k, v in entry[name].items()} if name in entry else {}

    columns: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for kind, table in entry["events"].items():
        columns[kind] = {
            name: column.asstr()[()] if h5py.check_string_dtype(column.dtype) else column[()]
            for name, column in table.items()
        }
    attributes = entry.attrs
    scalars = dict(entry["checkpoint"].attrs.items()) if "checkpoint" in entry else {}
    return RunFile(
        path=path,
        outcome=str(attributes.get("outcome", "running")),
        reason=str(attributes.get("reason", "")),
        start_time=str(attributes["start_time"]),
        bench_text=str(entry["config"].attrs["bench"]),
        options_json=str(entry["config"].attrs["options"]),
        seed=int(entry["config"].attrs["seed"]),
        calibrations=Path(str(stored))
        if (stored := entry["config"].attrs.get("calibrations"))
        else None,
        versions={
            k.removeprefix("version_"): str(v)
            for k, v in attributes.items()
            if k.startswith("version_")
        },
        columns=columns,
        calibration=results("calibration"),
        figures=(
            {k: float(v) for k, v in entry["figures"].attrs.items()} if "figures" in entry else {}
        ),
        pictures=group("pictures"),
        generated=group("generated"),
        checkpoint=group("checkpoint"),
        checkpoint_scalars=scalars,
        checkpoint_results=results("checkpoint/calibration"),
    )
