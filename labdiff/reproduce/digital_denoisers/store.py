"""A peer in one HDF5 file of plain arrays; nothing is pickled.

/            attrs: definition, architecture, settings (JSON), options (JSON), step
/net         parameters and batch norm's statistics by name
/optimiser   Adam's two running means of each parameter; gone when the training has ended
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.reproduce.digital_denoisers.architectures import ARCHITECTURES
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser

_DEFINITION = "labdiff_peer"


@dataclass(frozen=True, slots=True)
class StoredPeer:
    """What a peer's file holds. options: how it was trained. step: updates made so far."""

    architecture: str
    settings: dict[str, Any]
    options: dict[str, Any]
    step: int
    net: dict[str, Tensor]
    optimiser: dict[str, Tensor]


def save_peer(
    path: Path,
    net: DigitalDenoiser,
    options: dict[str, Any],
    step: int,
    optimiser: dict[str, Tensor],
) -> None:
    """Write the file in one step. Raises UserError if the disk does not take it."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["definition"] = _DEFINITION
        file.attrs["architecture"] = net.architecture
        file.attrs["settings"] = json.dumps(net.settings)
        file.attrs["options"] = json.dumps(options)
        file.attrs["step"] = step
        for group, values in (("net", net.state_dict()), ("optimiser", optimiser)):
            for name, value in values.items():
                file[f"{group}/{name}"] = value.detach().cpu().numpy()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, image.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def read_peer(path: Path) -> StoredPeer:
    """Read a peer's file. Raises UserError if it is missing, damaged or something else."""
    if not path.is_file():
        raise UserError(f"{path}: no such file of a digital peer")
    try:
        with h5py.File(path, "r") as file:
            attributes = file.attrs
            if attributes.get("definition") != _DEFINITION:
                raise UserError(f"{path}: an HDF5 file, but not one of a digital peer")
            return StoredPeer(
                architecture=str(attributes["architecture"]),
                settings=json.loads(attributes["settings"]),
                options=json.loads(attributes["options"]),
                step=int(attributes["step"]),
                net=_tensors(file, "net"),
                optimiser=_tensors(file, "optimiser"),
            )
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise UserError(f"{path}: not a readable file of a digital peer: {error}") from None


def load_denoiser(path: Path) -> DigitalDenoiser:
    """The net of a file, built anew, in evaluation mode. Raises UserError if that cannot be done."""
    stored = read_peer(path)
    if stored.architecture not in ARCHITECTURES:
        raise UserError(
            f"{path}: architecture {stored.architecture!r}: unknown; "
            f"known are {', '.join(ARCHITECTURES)}"
        )
    try:
        net = ARCHITECTURES[stored.architecture](**stored.settings)
        net.load_state_dict(stored.net)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path}: its net does not fit this program: {error}") from None
    net.eval()
    return net


def _tensors(file: h5py.File, group: str) -> dict[str, Tensor]:
    if group not in file:
        return {}
    return {name: torch.from_numpy(np.array(value[()])) for name, value in file[group].items()}
