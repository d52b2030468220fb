"""Tables that grow by rows, and arrays that are replaced, inside an HDF5 file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

Row = Mapping[str, float | str]
ROWS = "rows"
"""Attribute of a table: its number of rows."""
AT_CHECKPOINT = "rows_at_checkpoint"
"""Attribute of a table: the number of rows that it had at the checkpoint."""
FIGURE = "figure."
"""Prefix of those scalars of a checkpoint that are named figures."""


def append_rows(group: h5py.Group, rows: Sequence[Row]) -> None:
    """Append a block of rows; a new column holds NaN, or empty text, in the earlier rows."""
    before = row_count(group)
    names = sorted(set(group) | {name for row in rows for name in row})
    for name in names:
        text = any(isinstance(row.get(name), str) for row in rows) or (
            name in group and h5py.check_string_dtype(group[name].dtype) is not None
        )
        if name not in group:
            dtype = h5py.string_dtype() if text else np.float64
            fill = "" if text else np.nan
            group.create_dataset(
                name, (before,), dtype, maxshape=(None,), chunks=(256,), fillvalue=fill
            )
        column = group[name]
        column.resize((before + len(rows),))
        column[before:] = [row.get(name, "" if text else np.nan) for row in rows]
    group.attrs[ROWS] = before + len(rows)


def cut_rows(group: h5py.Group, rows: int) -> None:
    """Delete all rows but the first `rows`."""
    for column in group.values():
        column.resize((rows,))
    group.attrs[ROWS] = rows


def row_count(group: h5py.Group) -> int:
    """Return the number of rows of a table."""
    return int(group.attrs.get(ROWS, 0))


def put_array(group: h5py.Group, name: str, array: Any) -> None:
    """Write an array, in place if shape and type allow it, else as a new dataset.

    Args:
        group: the dataset's group.
        name: the dataset's name.
        array: anything that numpy makes an array of.
    """
    value = np.asarray(array)
    if name in group and group[name].shape == value.shape and group[name].dtype == value.dtype:
        group[name][...] = value
        return
    if name in group:
        del group[name]
    group.create_dataset(name, data=value)


def put_attributes(group: h5py.Group, values: Mapping[str, Any]) -> None:
    """Set the group's attributes to these, and delete all others."""
    for name in set(group.attrs) - set(values):
        del group.attrs[name]
    for name, value in values.items():
        group.attrs[name] = value


def drop_others(group: h5py.Group, names: Iterable[str]) -> None:
    """Delete the members of a group that are not named."""
    for name in set(group) - set(names):
        del group[name]
