"""Read all texts of an HDF5 file, or never return: python -m calibration.hdf5_probe PATH.

A process of its own, started for files that look damaged; an error that h5py raises is a good end.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import h5py

CPU_S = 5
"""Seconds of processor time after which the system ends the process."""


def main(path: str) -> None:
    """Read every attribute and every text of a file."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    with suppress(Exception), h5py.File(path, "r", locking=False) as file:
        _read("/", file)
        file.visititems(_read)


def _read(name: str, found: h5py.Group | h5py.Dataset) -> None:
    for attribute in list(found.attrs):
        with suppress(Exception):
            found.attrs.get(attribute)
    if isinstance(found, h5py.Dataset) and h5py.check_string_dtype(found.dtype) is not None:
        with suppress(Exception):
            for place in range(len(found)):
                found[place]


if __name__ == "__main__":
    main(sys.argv[1])
