"""Read HDF5 files from outside: without locks, following no links, each value checked where it is read.

A reader must not lock the file: network drives refuse locks, and a viewer that has the file open
would make it look damaged. A file may hold links to other files, virtual or external storage, or
arrays larger than memory; none of them is followed or read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

MOST_BYTES = 1 << 30
"""Largest array, in bytes, that is read."""
MOST_TEXT = 1 << 22
"""Longest text, in characters, that is read."""


class StrangeFileError(Exception):
    """Raised with a message that names the place in the file, what is there, and what was expected."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file to be read, without a lock.

    Raises:
        OSError: as h5py, if it cannot be opened or is no HDF5 file.

    Example:
        >>> with open_hdf5(Path("run.h5")) as file:
        ...     phases = read_array(file, "phases", "u", 4)
    """
    with h5py.File(path, "r", locking=False) as file:
        yield file


def names(group: h5py.Group) -> list[str]:
    """Return the names of a group's own members; links to elsewhere are left out."""
    return [name for name in group if _is_own(group, name)]


def read_group(group: h5py.Group, name: str) -> h5py.Group:
    """Return a member group. Raises StrangeFileError if there is none of its own."""
    found = _member(group, name)
    if not isinstance(found, h5py.Group):
        raise StrangeFileError(f"{_place(group, name)}: is {_kind(found)}; expected a group")
    return found


def read_array(
    group: h5py.Group, name: str, kinds: str = "biuf", dimensions: int | None = None
) -> npt.NDArray[Any]:
    """Return a member array.

    Args:
        group: that holds it.
        name: of the array.
        kinds: allowed kinds of type, as numpy's `dtype.kind`.
        dimensions: number of dimensions; None for any.

    Raises:
        StrangeFileError: if it is missing, a link, of another type or shape, or too large.
    """
    dataset = _dataset(group, name)
    dtype, shape = dataset.dtype, dataset.shape
    if shape is None or dtype.kind not in kinds or dimensions not in (None, len(shape)):
        wanted = "" if dimensions is None else f" in {dimensions} dimensions"
        raise StrangeFileError(
            f"{_place(group, name)}: {dtype} of shape {shape}; expected numbers ({kinds}){wanted}"
        )
    return np.asarray(dataset[()])


def read_texts(group: h5py.Group, name: str) -> tuple[str, ...]:
    """Return a member list of texts. Raises StrangeFileError for anything else."""
    dataset = _dataset(group, name)
    if h5py.check_string_dtype(dataset.dtype) is None or len(dataset.shape) != 1:
        raise StrangeFileError(
            f"{_place(group, name)}: {dataset.dtype} of shape {dataset.shape}; expected a list of texts"
        )
    return tuple(str(text)[:MOST_TEXT] for text in dataset.asstr(errors="replace")[()])


def read_text(group: h5py.Group, name: str, otherwise: str | None = None) -> str:
    """Return a text attribute.

    Args:
        group: whose attribute it is.
        name: of the attribute.
        otherwise: returned if it is missing.

    Raises:
        StrangeFileError: if it is no text, or is missing and there is no `otherwise`.
    """
    value = _attribute(group, name, otherwise)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise StrangeFileError(f"{_place(group, name)}: {type(value).__name__}; expected a text")
    return value


def read_number(group: h5py.Group, name: str, otherwise: float | None = None) -> float:
    """Return a number attribute.

    Args:
        group: whose attribute it is.
        name: of the attribute.
        otherwise: returned if it is missing.

    Raises:
        StrangeFileError: if it is no number, or is missing and there is no `otherwise`.
    """
    value = np.asarray(_attribute(group, name, otherwise))
    if value.shape != () or value.dtype.kind not in "biuf":
        raise StrangeFileError(
            f"{_place(group, name)}: {value.dtype} of shape {value.shape}; expected a number"
        )
    return float(value)


def _attribute(group: h5py.Group, name: str, otherwise: Any) -> Any:
    if name not in group.attrs:
        if otherwise is None:
            raise StrangeFileError(f"{_place(group, name)}: is missing")
        return otherwise
    kind = group.attrs.get_id(name)
    if math.prod(kind.shape or ()) * kind.dtype.itemsize > MOST_TEXT:
        raise StrangeFileError(
            f"{_place(group, name)}: shape {kind.shape}; too large for a setting"
        )
    return group.attrs[name]


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    dataset = _member(group, name)
    if not isinstance(dataset, h5py.Dataset):
        raise StrangeFileError(f"{_place(group, name)}: is {_kind(dataset)}; expected an array")
    if dataset.is_virtual or dataset.external is not None:
        raise StrangeFileError(
            f"{_place(group, name)}: its values lie in another file, which is not read"
        )
    size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    if size > MOST_BYTES:
        raise StrangeFileError(
            f"{_place(group, name)}: shape {dataset.shape}, {size:,} bytes; more than "
            f"{MOST_BYTES:,} are not read"
        )
    return dataset


def _member(group: h5py.Group, name: str) -> Any:
    if name not in group:
        raise StrangeFileError(f"{_place(group, name)}: is missing")
    if not _is_own(group, name):
        raise StrangeFileError(
            f"{_place(group, name)}: is a link to elsewhere, which is not followed"
        )
    return group[name]


def _is_own(group: h5py.Group, name: str) -> bool:
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _place(group: h5py.Group, name: str) -> str:
    return f"{group.name.rstrip('/')}/{name}"


def _kind(found: object) -> str:
    return {h5py.Group: "a group", h5py.Dataset: "an array"}.get(type(found), "something else")
