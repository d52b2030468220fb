"""Read a run file: what the report, the resume and the figures need, and nothing executable."""

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

_MISREAD = (
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    CalibrationError,
)
"""What h5py raises for a damaged file, and where another kind of thing lies than was written."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A run as recorded. columns[kind][name] is one number (or text) per event of that kind.

    calibration: the latest result of each routine; checkpoint_results: those that the job worked with
    at its checkpoint. calibrations: folder where its bench's were stored, None if they were not.
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
    """Read a run file. Raises UserError if it is missing, not HDF5, damaged, or no labdiff run."""
    with run_entry(path) as entry:
        return _read_entry(path, entry)


@contextmanager
def run_entry(path: Path) -> Iterator[h5py.Group]:
    """The file's entry, to be read. Raises UserError as `read_run`."""
    if not path.is_file():
        raise UserError(f"{path}: no such run file. 'labdiff demo --out FOLDER' makes one.")
    try:
        with h5py.File(path, "r") as file:
            entry = file.get("entry")
            if not isinstance(entry, h5py.Group) or entry.attrs.get("definition") != "labdiff_run":
                raise UserError(f"{path}: an HDF5 file, but not one that labdiff recorded")
            yield entry
    except _MISREAD as error:
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
