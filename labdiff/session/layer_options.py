"""The options that the layers in a file were trained with; read without torch, for the window."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from calibration.hdf5_reading import open_hdf5, read_group, read_text
from labdiff.config.stored_options import stored_options
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError, reading
from labdiff.runs.reader import run_entry


def options_of_layers(path: Path | None) -> TrainingOptions:
    """Return the options of a layer file or a run file; of the layers that come along if None.

    Raises UserError for any other file.
    """
    if path is None:
        path = Path(str(resources.files("labdiff").joinpath("session", "pretrained", "digits.h5")))
    if not path.is_file():
        raise UserError(f"{path}: no such run file or layer file")
    text = _of_layer_file(path)
    if text is None:
        with run_entry(path) as entry:
            text = read_text(read_group(entry, "config"), "options")
    return stored_options(text, f"{path}, options")


def _of_layer_file(path: Path) -> str | None:
    """Return the options of a layer file; None for any other file, which a run file may be."""
    try:
        with reading(path, "a layer file"), open_hdf5(path) as file:
            return read_text(file, "options")
    except UserError:
        return None
