"""Find the folder of data files, and the files of each data set in it."""

from __future__ import annotations

import os
from pathlib import Path

from labdiff.data.catalogue import INCEPTION, Entry
from labdiff.errors import UserError


def data_folder(data_dir: Path | None = None) -> Path:
    """Return the argument, else the folder that LABDIFF_DATA names, else the user's cache folder."""
    if data_dir is not None:
        return data_dir
    from_environment = os.environ.get("LABDIFF_DATA")
    if from_environment:
        return Path(from_environment)
    import pooch

    return Path(pooch.os_cache("labdiff")) / "data"


def set_folder(entry: Entry, data_dir: Path | None = None) -> Path:
    """Return the folder of an entry's downloads.

    Each entry has its own, because the idx files of all data sets share their names.
    """
    return data_folder(data_dir) / entry.name


def locate(entry: Entry, data_dir: Path | None = None) -> Path | None:
    """Return the file or folder that holds an entry; None if it is absent.

    NAME.npz goes before the downloads, which count only if all of them are there.
    """
    archive = data_folder(data_dir) / f"{entry.name}.npz"
    if archive.is_file():
        return archive
    folder = set_folder(entry, data_dir)
    if not entry.files:
        return None
    for file in entry.files:
        packed = folder / file.name
        if not packed.is_file() and not (
            packed.suffix == ".gz" and packed.with_suffix("").is_file()
        ):
            return None
    return folder / entry.files[0].name if len(entry.files) == 1 else folder


def required(entry: Entry, data_dir: Path | None = None) -> Path:
    """Return what `locate` finds. Raises UserError, which tells how to get the data, if it is absent."""
    found = locate(entry, data_dir)
    if found is not None:
        return found
    folder = data_folder(data_dir)
    hint = "" if folder.is_dir() else " That folder does not exist."
    if any(folder.glob("train-images-idx3-ubyte*")):
        hint = (
            f" The idx files directly in {folder} could be of any data set; if they are this one's, "
            f"move them to {folder / entry.name}."
        )
    raise UserError(
        f"data set {entry.name!r}: neither {entry.name}.npz nor {entry.name}{os.sep} with its "
        f"{len(entry.files)} downloaded file(s) is in {folder}.{hint} Get it with 'labdiff data get "
        f"{entry.name}', or name the folder that holds it with --data-dir or LABDIFF_DATA; "
        f"'digits' needs no files."
    )


def inception_weights(data_dir: Path | None = None) -> Path | None:
    """Return the Inception weights that `labdiff data get inception` downloaded, or None."""
    return locate(INCEPTION, data_dir)
