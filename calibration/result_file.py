"""Calibration results inside an HDF5 file: one group each, plain numbers, no pickle."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, TypeAlias, TypeVar, get_args

import h5py

from calibration.alignment_found import AlignmentFound
from calibration.beam import BeamFound
from calibration.camera import CameraFound
from calibration.coarse_settling import CoarseSettling
from calibration.dark import DarkLevel
from calibration.exposure import Exposure
from calibration.hdf5_reading import (
    StrangeFileError,
    is_text_list,
    names,
    read_array,
    read_shaped,
    read_text,
    read_texts,
)
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import LEVELS, CalibrationResult, OtherVersionError, Verdict
from calibration.settling import SettlingFound
from calibration.wavefront import Wavefront

Result: TypeAlias = (
    DarkLevel
    | CoarseSettling
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
PLOT = "plot"
"""Group of a result that NeXus programs show."""


def write_result(group: h5py.Group, result: Result) -> None:
    """Put a result into an empty group; the verdict goes into its attributes."""
    group.attrs["kind"] = type(result).__name__
    group.attrs["title"] = result.title
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
    if result.plotted:
        _plot(group, result.plotted, result.title)


def _plot(group: h5py.Group, name: str, title: str) -> None:
    """Let NeXus programs show an array of a result at once; it is linked, not copied."""
    if not group[name].size:
        return
    plot = group.create_group(PLOT)
    plot.attrs["NX_class"] = "NXdata"
    plot.attrs["title"] = title
    plot.attrs["signal"] = name
    plot.attrs["axes"] = ["."] * group[name].ndim
    plot[name] = group[name]
    group.attrs["default"] = PLOT


def read_result(group: h5py.Group) -> Result:
    """Read what write_result wrote; types and shapes are checked.

    Raises:
        OtherVersionError: for a result of another version, or of another kind.
        StrangeFileError: for a value of another type or shape, or a link to elsewhere.
    """
    kind = KINDS.get(read_text(group, "kind", ""))
    if kind is None:
        raise _not_a_result(group, "of no routine of this version")
    return read_result_as(group, kind)


def read_result_as(group: h5py.Group, kind: type[ResultT]) -> ResultT:
    """Read a result of a type, which may be defined elsewhere; errors as those of `read_result`.

    kind: a dataclass of numbers, arrays, tuples of texts, and its verdict.
    """
    if read_text(group, "kind", "") != kind.__name__:
        raise _not_a_result(group, f"it is of another type than {kind.__name__}")
    described: type[Any] = kind
    stored = set(names(group))
    values: dict[str, Any] = {}
    for field in fields(described):
        if field.name == "verdict":
            values["verdict"] = read_verdict(group)[1]
        elif field.name in stored:
            values[field.name] = _read_value(group, field, kind.shapes.get(field.name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise _not_a_result(group, f"it lacks {field.name}")
    if len({len(values[name]) for name in kind.alike}) > 1:
        raise StrangeFileError(f"{group.name}: {', '.join(kind.alike)} differ in length")
    return kind(**values)


def _read_value(
    group: h5py.Group, field: Field[Any], shape: tuple[int | None, ...] | None
) -> object:
    """Return a field's value: a number, a tuple of texts, or an array.

    Args:
        group: that holds the result.
        field: of the result's type.
        shape: of its array, if that is known.
    """
    if shape is not None:
        return read_shaped(group, field.name, shape)
    if field.type not in ("float", float) and is_text_list(group, field.name):
        return read_texts(group, field.name)
    array = read_array(group, field.name, dimensions=0 if field.type in ("float", float) else None)
    return array if array.shape else float(array)


def read_verdict(group: h5py.Group) -> tuple[str, Verdict]:
    """Return title ("" of an older file) and verdict of a result, whatever its type.

    Raises StrangeFileError for another level.
    """
    level = read_text(group, "verdict", "")
    reason, remedy = read_text(group, "reason", ""), read_text(group, "remedy", "")
    for known in LEVELS:
        if level == known:
            return read_text(group, "title", ""), Verdict(known, reason, remedy)
    raise StrangeFileError(f"{group.name}/verdict: {level[:20]!r}; expected one of {LEVELS}")


def _not_a_result(group: h5py.Group, why: str) -> OtherVersionError:
    return OtherVersionError(
        f"{group.file.filename}: {group.name}: not a calibration result ({why}). "
        "Run the calibration again."
    )
