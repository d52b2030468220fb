"""Calibration results inside an HDF5 file: one group each, plain numbers, no pickle."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeAlias, TypeVar, get_args

import h5py
import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.beam import BeamFound
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import CalibrationResult, OtherVersionError, Verdict
from calibration.settling import SettlingFound
from calibration.wavefront import Wavefront

Result: TypeAlias = (
    DarkLevel
    | Registration
    | Exposure
    | CameraFound
    | PhaseResponse
    | SettlingFound
    | Wavefront
    | BeamFound
    | AlignmentFound
)
"""The results of all routines, in the order in which these are measured."""
RESULT_TYPES: tuple[type[Result], ...] = get_args(Result)
ResultT = TypeVar("ResultT", bound=CalibrationResult)
KINDS = {kind.__name__: kind for kind in RESULT_TYPES}
"""The results' types, by the name that a file gives them."""


def write_result(group: h5py.Group, result: Result) -> None:
    """Put a result into an empty group; the verdict goes into its attributes."""
    group.attrs["kind"] = type(result).__name__
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, Verdict):
            group.attrs["verdict"] = value.level
            group.attrs["reason"] = value.reason
            group.attrs["remedy"] = value.remedy
        elif isinstance(value, tuple):
            group.create_dataset(field.name, data=value, dtype=h5py.string_dtype())
        else:
            group[field.name] = value


def read_result(group: h5py.Group) -> Result:
    """Read what write_result wrote. Raises OtherVersionError for anything else."""
    kind = KINDS.get(str(group.attrs.get("kind")))
    if kind is None:
        raise _not_a_result(group, "of no routine of this version")
    return read_result_as(group, kind)


def read_result_as(group: h5py.Group, kind: type[ResultT]) -> ResultT:
    """Read a result of a type, which may be defined elsewhere. Raises OtherVersionError for another one.

    kind: a dataclass of numbers, arrays, tuples of texts, and its verdict.
    """
    try:
        if str(group.attrs["kind"]) != kind.__name__:
            raise _not_a_result(group, f"it is of another type than {kind.__name__}")
        described: type[Any] = kind
        values: dict[str, Any] = {}
        for field in fields(described):
            if field.name == "verdict":
                level, reason, remedy = (
                    str(group.attrs[name]) for name in ("verdict", "reason", "remedy")
                )
                values["verdict"] = Verdict(level, reason, remedy)  # type: ignore[arg-type]
            elif field.name not in group and field.default is not MISSING:
                continue  # written before this was measured
            elif h5py.check_string_dtype(group[field.name].dtype) is not None:
                values[field.name] = tuple(group[field.name].asstr()[()])
            else:
                value = group[field.name][()]
                values[field.name] = value if isinstance(value, np.ndarray) else float(value)
        return kind(**values)
    except KeyError as error:
        raise _not_a_result(group, str(error)) from None


def _not_a_result(group: h5py.Group, why: str) -> OtherVersionError:
    return OtherVersionError(
        f"{group.file.filename}: {group.name}: not a calibration result ({why}). "
        "Run the calibration again."
    )
