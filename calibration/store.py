"""Calibration results on disk: HDF5, no pickle; the old file stays until the new one is whole."""

from __future__ import annotations

import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np

from calibration.dark import DarkLevel
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import CalibrationError, Verdict

Result: TypeAlias = DarkLevel | Exposure | PhaseResponse | Registration
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (DarkLevel, Exposure, PhaseResponse, Registration)
}


def save_results(path: Path, results: dict[str, Result]) -> None:
    """Write named results to one file, atomically: a temporary file takes the path's place."""
    handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        with h5py.File(name, "w") as file:
            for key, result in results.items():
                group = file.create_group(key)
                group.attrs["kind"] = type(result).__name__
                for field in fields(result):
                    value = getattr(result, field.name)
                    if isinstance(value, Verdict):
                        group.attrs["verdict"] = value.level
                        group.attrs["reason"] = value.reason
                        group.attrs["remedy"] = value.remedy
                    else:
                        group[field.name] = value
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def load_results(path: Path) -> dict[str, Result]:
    """Read what save_results wrote. Raises CalibrationError for a file that it did not write."""
    try:
        with h5py.File(path, "r") as file:
            return {key: _load(file[key]) for key in file}
    except (OSError, KeyError) as error:
        raise CalibrationError(
            f"{path}: not a readable calibration ({error}). Run the calibration again."
        ) from None


def _load(group: h5py.Group) -> Result:
    kind = KINDS[str(group.attrs["kind"])]
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name == "verdict":
            attributes = group.attrs
            values["verdict"] = Verdict(
                attributes["verdict"], str(attributes["reason"]), str(attributes["remedy"])
            )
        else:
            value = group[field.name][()]
            values[field.name] = value if isinstance(value, np.ndarray) else float(value)
    result: Result = kind(**values)
    return result
