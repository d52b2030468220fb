"""Read the parts of a run file's entry; types and shapes are checked here, where the file is read."""

from __future__ import annotations

import logging
import re
from dataclasses import fields
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from calibration.hdf5_reading import (
    StrangeFileError,
    is_text_list,
    names,
    read_array,
    read_group,
    read_texts,
    read_values,
)
from calibration.result import OtherVersionError
from calibration.result_file import Result, read_result
from labdiff.events import Pictures

log = logging.getLogger(__name__)

Column = npt.NDArray[Any]
NUMBERS: dict[str, tuple[str, ...]] = {
    "training": ("time_s", "step", "total", "layer_set", "twin_mse"),
    "stages": ("time_s", "total_steps"),
    "alignment": ("time_s", "step", "total", "discrepancy"),
    "calibration": ("time_s", "index", "total"),
}
"""Columns that a table has in every run file, each value a finite number."""
TEXTS: dict[str, tuple[str, ...]] = {
    "training": ("method",),
    "stages": ("stage",),
    "alignment": ("message",),
    "calibration": ("routine", "message"),
}
"""Columns of texts that a table has in every run file."""
PICTURE_NAMES = tuple(item.name for item in fields(Pictures))
"""Names of the pictures of a training step, and of their arrays."""
GENERATED = re.compile(r"images|t_[0-9]{1,9}")
"""Names of arrays of generated images: all of the last step, and some at a timestep."""


def read_columns(events: h5py.Group) -> dict[str, dict[str, Column]]:
    """Return all tables of events, each column by its name.

    Raises StrangeFileError if a table lacks what every run file has, or its columns differ in length.
    """
    return {kind: read_table(read_group(events, kind), kind) for kind in names(events)}


def read_table(table: h5py.Group, kind: str) -> dict[str, Column]:
    """Return the columns of a table of events; errors as those of `read_columns`."""
    columns = {name: _read_column(table, name) for name in names(table)}
    if len({len(column) for column in columns.values()}) > 1:
        raise StrangeFileError(f"{table.name}: its columns differ in length")
    if not columns:
        return columns
    for name in NUMBERS.get(kind, ()):
        if name not in columns:
            raise StrangeFileError(f"{table.name}/{name}: is missing")
        if columns[name].dtype.kind not in "biuf" or not np.isfinite(columns[name]).all():
            raise StrangeFileError(f"{table.name}/{name}: expected finite numbers")
    for name in TEXTS.get(kind, ()):
        if name not in columns or columns[name].dtype.kind != "O":
            raise StrangeFileError(f"{table.name}/{name}: expected a column of texts")
    return columns


def _read_column(table: h5py.Group, name: str) -> Column:
    if is_text_list(table, name):
        return np.array(read_texts(table, name), dtype=object)
    return read_array(table, name, dimensions=1)


def read_results(group: h5py.Group) -> dict[str, Result]:
    """Return the calibration results of an entry or of a checkpoint; none if it has none.

    Those of another version, or of a script's own routine, stay in the file and are left out.
    """
    results: dict[str, Result] = {}
    if "calibration" not in names(group):
        return results
    found = read_group(group, "calibration")
    for name in names(found):
        try:
            results[name] = read_result(read_group(found, name))
        except OtherVersionError as error:
            log.warning("left aside: %s", error)
    return results


def read_figures(entry: h5py.Group) -> dict[str, float]:
    """Return the named figures. Raises StrangeFileError if one is no number."""
    if "figures" not in names(entry):
        return {}
    figures: dict[str, float] = {}
    for name, value in read_values(read_group(entry, "figures")).items():
        if isinstance(value, str):
            raise StrangeFileError(f"{entry.name}/figures/{name}: a text; expected a number")
        figures[name] = float(value)
    return figures


def read_pictures(entry: h5py.Group) -> dict[str, npt.NDArray[np.float32]]:
    """Return the latest pictures of a training step, (height, width) each; none if there are none."""
    if "pictures" not in names(entry):
        return {}
    group = read_group(entry, "pictures")
    pictures = {name: read_array(group, name, "f", 2) for name in PICTURE_NAMES}
    for name, picture in pictures.items():
        if not picture.size:
            raise StrangeFileError(
                f"{group.name}/{name}: shape {picture.shape}; expected a picture"
            )
    return pictures


def read_generated(entry: h5py.Group) -> dict[str, npt.NDArray[np.float32]]:
    """Return generated images (B, H, W): the last ones, and some of each timestep; none without them."""
    if "generated" not in names(entry):
        return {}
    group = read_group(entry, "generated")
    return {n: read_array(group, n, "f", 3) for n in names(group) if GENERATED.fullmatch(n)}


def read_arrays(group: h5py.Group) -> dict[str, npt.NDArray[Any]]:
    """Return all arrays of numbers of a checkpoint, by name."""
    return {name: read_array(group, name) for name in names(group) if name != "calibration"}
