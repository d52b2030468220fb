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

from calibration.hdf5_heaps import never_returns
from calibration.hdf5_text_lengths import length_problem

MOST_BYTES = 1 << 30
"""Largest array, in bytes, that is read."""
MOST_TEXT = 1 << 24
"""Longest text, and longest list of texts, in characters, that is read."""
TEXTS_AT_ONCE = 256
"""Number of texts that are read between two checks of their length."""
UNCHECKED_BYTES = 1 << 24
"""Size of an array, in bytes, up to which its values need not lie in the file."""
MOST_COMPRESSED = 500
"""Largest factor by which an array larger than that may be compressed; pictures reach a tenth of it."""


class StrangeFileError(Exception):
    """Raised with a message that names the place in the file, what is there, and what was expected."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file to be read, without a lock.

    Raises:
        OSError: as h5py, if it cannot be opened or is no HDF5 file.
        StrangeFileError: if it is so damaged that the HDF5 library would not return.

    Example:
        >>> with open_hdf5(Path("run.h5")) as file:
        ...     phases = read_array(file, "phases", "u", 4)
    """
    if never_returns(path):
        raise StrangeFileError("its texts are damaged so that the HDF5 library would never return")
    with _opened(path) as file:
        yield file


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        # This program itself, as a notebook, has the file open with a lock; HDF5 wants the same again.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


def names(group: h5py.Group) -> list[str]:
    """Return the names of a group's own members; links to elsewhere and damaged names are left out."""
    return [name for name in group if _is_text(name) and _is_own(group, name)]


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
    dataset = find_array(group, name, kinds, dimensions)
    _check_size(dataset)
    return np.asarray(dataset[()])


def read_shaped(group: h5py.Group, name: str, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Return a member array of numbers of a known shape.

    Args:
        group: that holds it.
        name: of the array.
        shape: that it has; None for a side of any length.

    Raises:
        StrangeFileError: as `read_array`, and for another shape.
    """
    found = find_array(group, name, dimensions=len(shape))
    if any(known not in (None, side) for side, known in zip(found.shape, shape, strict=True)):
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise StrangeFileError(f"{_place(group, name)}: shape {found.shape}; expected ({wanted})")
    _check_size(found)
    return np.asarray(found[()])


def find_array(
    group: h5py.Group, name: str, kinds: str = "biuf", dimensions: int | None = None
) -> h5py.Dataset:
    """Return a member array of any size, of which parts are read.

    Args:
        group: the group.
        name: of the member.
        kinds: numpy's letters of the types that are taken.
        dimensions: number of dimensions; None for any.

    Raises:
        StrangeFileError: if there is none, or another one.
    """
    dataset = _dataset(group, name)
    dtype, shape = dataset.dtype, dataset.shape
    if shape is None or dtype.kind not in kinds or dimensions not in (None, len(shape)):
        wanted = "" if dimensions is None else f" in {dimensions} dimensions"
        raise StrangeFileError(
            f"{_place(group, name)}: {dtype} of shape {shape}; expected numbers ({kinds}){wanted}"
        )
    return dataset


def is_text_list(group: h5py.Group, name: str) -> bool:
    """Return whether a member array holds texts. Raises StrangeFileError if it is no array of its own."""
    return h5py.check_string_dtype(_dataset(group, name).dtype) is not None


def read_texts(group: h5py.Group, name: str) -> tuple[str, ...]:
    """Return a member list of texts. Raises StrangeFileError for anything else."""
    dataset = _dataset(group, name)
    shape = dataset.shape
    if h5py.check_string_dtype(dataset.dtype) is None or shape is None or len(shape) != 1:
        raise StrangeFileError(
            f"{_place(group, name)}: {dataset.dtype} of shape {dataset.shape}; expected a list of texts"
        )
    _check_size(dataset)
    problem = length_problem(dataset, MOST_TEXT)
    if problem is not None:
        raise StrangeFileError(problem)
    texts: list[str] = []
    left = MOST_TEXT
    for first in range(0, len(dataset), TEXTS_AT_ONCE):
        texts.extend(dataset.asstr(errors="replace")[first : first + TEXTS_AT_ONCE])
        left -= sum(map(len, texts[first:]))
        if left < 0:
            raise StrangeFileError(f"{_place(group, name)}: more than {MOST_TEXT:,} characters")
    return tuple(texts)


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
    value = _as_text(value)
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


def read_values(group: h5py.Group) -> dict[str, float | int | str]:
    """Return all attributes of a group, each a number or a text. Raises StrangeFileError for others."""
    values: dict[str, float | int | str] = {}
    for name in filter(_is_text, group.attrs):
        value = _as_text(_attribute(group, name, None))
        if not isinstance(value, str):
            number = read_number(group, name)
            value = int(value) if np.asarray(value).dtype.kind in "biu" else number
        values[name] = value
    return values


def refuse_links(file: h5py.File) -> None:
    """Raise StrangeFileError if anything in a file lies elsewhere: a change would reach other files.

    Args:
        file: that is to be changed.
    """

    # An exception must not leave a visitor; the first value that it returns ends the visit.
    def link_problem(name: str, link: object) -> str | None:
        if isinstance(link, h5py.HardLink):
            return None
        return f"/{name}: is a link to elsewhere, which is not followed"

    def storage_problem(name: str, found: object) -> str | None:
        if isinstance(found, h5py.Dataset) and (found.is_virtual or found.external is not None):
            return f"/{name}: its values lie in another file, which is not changed"
        return None

    problem = file.visititems_links(link_problem) or file.visititems(storage_problem)
    if problem is not None:
        raise StrangeFileError(problem)


def _as_text(value: Any) -> Any:
    """Return a text without bytes that are none; anything else as it is."""
    if isinstance(value, str):
        # Bytes that are no UTF-8 come as surrogates, which nothing can write.
        value = value.encode("utf-8", "surrogateescape")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_text(name: str | bytes) -> bool:
    """Return whether a name is whole: a damaged one comes as bytes, or with surrogates for some."""
    return isinstance(name, str) and not any("\ud800" <= each <= "\udfff" for each in name)


def _attribute(group: h5py.Group, name: str, otherwise: Any) -> Any:
    if name not in group.attrs:
        if otherwise is None:
            raise StrangeFileError(f"{_place(group, name)}: is missing")
        return otherwise
    kind = group.attrs.get_id(name)
    if kind.dtype.hasobject and h5py.check_string_dtype(kind.dtype) is None:
        # The library may crash on a list of a damaged kind.
        raise StrangeFileError(f"{_place(group, name)}: is a list; expected a text or a number")
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
    return dataset


def _check_size(dataset: h5py.Dataset) -> None:
    """Raise StrangeFileError for an array that is too large, or larger than what the file can hold."""
    size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    found = f"{dataset.name}: shape {dataset.shape}, {size:,} bytes"
    if size > MOST_BYTES:
        raise StrangeFileError(f"{found}; more than {MOST_BYTES:,} are not read")
    held = dataset.id.get_storage_size()
    if size > max(UNCHECKED_BYTES, MOST_COMPRESSED * held):
        raise StrangeFileError(f"{found}, of which the file holds {held:,}")


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
