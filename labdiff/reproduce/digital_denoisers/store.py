"""Store a digital denoiser in one HDF5 file of plain arrays; nothing is pickled.

/            attrs: definition, format, architecture, settings (JSON), options (JSON), step
/net         parameters and batch norm's statistics by name
/optimiser   Adam's two running means of each parameter; absent when the training has ended
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import torch
from torch import Tensor

from calibration.hdf5_reading import (
    names,
    open_hdf5,
    read_array,
    read_group,
    read_number,
    read_text,
)
from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError, reading
from labdiff.reproduce.digital_denoisers.architectures import ARCHITECTURES
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.runs.format import FORMAT, check_format

STORE_FORMAT = 1
"""Number of the files' format."""
_DEFINITION = "labdiff_peer"
"""Kind of the file, in its attribute "definition"."""
_STORED_NAME, _NAME = ".told.", ".time_layer."
"""Part of a parameter's name in files, and in the net."""


@dataclass(frozen=True, slots=True)
class StoredDenoiser:
    """The content of a denoiser's file. options: of its training. step: number of steps done."""

    architecture: str
    settings: dict[str, Any]
    options: dict[str, object]
    step: int
    net: dict[str, Tensor]
    optimiser: dict[str, Tensor]


def save_denoiser(
    path: Path,
    net: DigitalDenoiser,
    options: dict[str, object],
    step: int,
    optimiser: dict[str, Tensor],
) -> None:
    """Write a denoiser's file atomically.

    Args:
        path: the file.
        net: the denoiser.
        options: of its training.
        step: number of training steps done.
        optimiser: Adam's running means by name; empty when the training has ended.

    Raises:
        UserError: the file cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["definition"] = _DEFINITION
        file.attrs[FORMAT] = STORE_FORMAT
        file.attrs["architecture"] = net.architecture
        file.attrs["settings"] = json.dumps(net.settings)
        file.attrs["options"] = json.dumps(options)
        file.attrs["step"] = step
        for group, values in (("net", net.state_dict()), ("optimiser", optimiser)):
            for name, value in values.items():
                file[f"{group}/{name.replace(_NAME, _STORED_NAME)}"] = value.detach().cpu().numpy()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, image.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def read_denoiser(path: Path) -> StoredDenoiser:
    """Read a denoiser's file. Raises UserError if it is missing, damaged or of another kind."""
    if not path.is_file():
        raise UserError(f"{path}: no such file of a digital denoiser")
    with reading(path, "a file of a digital denoiser, whole"), open_hdf5(path) as file:
        if read_text(file, "definition", "") != _DEFINITION:
            raise UserError(f"{path}: an HDF5 file, but not one of a digital denoiser")
        check_format(path, int(read_number(file, FORMAT, 1)), STORE_FORMAT)
        return StoredDenoiser(
            architecture=read_text(file, "architecture"),
            settings=_table(read_text(file, "settings")),
            options=_table(read_text(file, "options")),
            step=int(read_number(file, "step")),
            net=_tensors(file, "net"),
            optimiser=_tensors(file, "optimiser"),
        )


def load_denoiser(path: Path) -> DigitalDenoiser:
    """Build the net of a file, in evaluation mode. Raises UserError if the file does not fit."""
    stored = read_denoiser(path)
    if stored.architecture not in ARCHITECTURES:
        raise UserError(
            f"{path}: architecture {stored.architecture!r}: unknown; "
            f"known are {', '.join(ARCHITECTURES)}"
        )
    with reading(path, "a net that fits this program"):
        net = ARCHITECTURES[stored.architecture](**stored.settings)
        net.load_state_dict(stored.net)
    net.eval()
    return net


def _tensors(file: h5py.File, name: str) -> dict[str, Tensor]:
    if name not in names(file):
        return {}
    group = read_group(file, name)
    return {
        stored.replace(_STORED_NAME, _NAME): torch.from_numpy(read_array(group, stored).copy())
        for stored in names(group)
    }


def _table(text: str) -> dict[str, Any]:
    """Return the table in a JSON text. Raises ValueError if it holds something else."""
    table = json.loads(text)
    if not isinstance(table, dict):
        raise ValueError("its settings are no table")
    return table
