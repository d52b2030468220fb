"""Pictures and tables of numbers in the files in which makers deliver them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError

Table = npt.NDArray[np.float64]
LARGEST_BYTES = 500_000_000
"""Size from which a file is none of a panel."""
PICTURES = (".bmp", ".png", ".tif", ".tiff")
TABLES = (".csv", ".txt", ".dat", ".lut", ".blt")
HDF5 = (".h5", ".hdf5")


def read_numbers(path: Path, key: str) -> tuple[Table, int]:
    """Return the numbers of a file in two dimensions, and the bits of a level; 0 if they are no levels.

    Raises DeviceValueError, with the key and the file, for one that cannot be read.
    """
    ending = path.suffix.lower()
    if not path.is_file():
        raise DeviceValueError(f"{key} = {str(path)!r}: there is no such file in {Path.cwd()}")
    if path.stat().st_size > LARGEST_BYTES:
        raise DeviceValueError(f"{key} = {str(path)!r}: is larger than any panel's")
    try:
        if ending in PICTURES:
            found, bits = _picture(path)
        elif ending in TABLES:
            found, bits = _table(path), 0
        elif ending == ".npy":
            array = np.load(path, allow_pickle=False)
            found, bits = array, 8 * array.itemsize if array.dtype.kind == "u" else 0
        elif ending in HDF5:
            found, bits = _dataset(path)
        else:
            allowed = ", ".join((*PICTURES, *TABLES, ".npy", *HDF5))
            raise DeviceValueError(f"{key} = {str(path)!r}: read are {allowed}")
        table = np.atleast_2d(np.asarray(found, np.float64))
    except DeviceValueError as error:
        raise DeviceValueError(f"{key} = {str(path)!r}: {error}") from None
    except Exception as error:  # whatever the readers of damaged files raise
        raise DeviceValueError(f"{key} = {str(path)!r}: cannot be read: {error}") from None
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DeviceValueError(
            f"{key} = {str(path)!r}: numbers of shape {table.shape}; expected are finite (rows, columns)"
        )
    return table, bits


def _picture(path: Path) -> tuple[npt.NDArray[Any], int]:
    from PIL import Image

    with Image.open(path) as image:
        if image.mode in ("RGB", "RGBA", "P"):
            channels = np.asarray(image.convert("RGB"))
            if np.ptp(channels, axis=2).any():
                raise DeviceValueError(
                    "is a picture in colours; expected is grey, or equal channels"
                )
            return channels[:, :, 0], 8
        return np.asarray(image), 8 if image.mode in ("L", "1") else 16


def _table(path: Path) -> Table:
    """Return the rows of numbers in a text; lines that begin with a word are headings."""
    rows: list[list[float]] = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        words = [word for word in re.split(r"[,;\s]+", line.strip()) if word]
        if words and re.match(r"[-+.\d]", words[0]):
            rows.append([float(word) for word in words])
    if not rows or len({len(row) for row in rows}) != 1:
        raise DeviceValueError("has no rows of numbers of equal length")
    return np.array(rows)


def _dataset(path: Path) -> tuple[npt.NDArray[Any], int]:
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        for name in file:
            member = file.get(name, getlink=False)
            if isinstance(member, h5py.Dataset) and member.ndim == 2:
                array = np.asarray(member[()])
                return array, 8 * array.itemsize if array.dtype.kind == "u" else 0
    raise DeviceValueError("has no data set in two dimensions")
