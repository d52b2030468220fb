"""Trained layers as one small file: phases as 8-bit grey levels of a turn, as an SLM shows them.

Layout (HDF5):

    /                   attrs: definition, version, bench (text), options (JSON), data, training_images,
                        classes (that can be prompted), version_<package>
    /phases             (M, N, h, w) uint8, 256 grey levels to 2 pi
    /<all else>         float32: what encodes and decodes (`twin.denoising_unit`), image statistics

Nothing in it is executable, and nothing of a bench: what a calibration finds stays with the bench.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from importlib import metadata, resources
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from calibration.hdf5_reading import find_array, open_hdf5, read_array, read_number, read_text
from labdiff.atomic_write import write_atomically
from labdiff.config.bench import BenchConfig, parse_bench
from labdiff.config.option import Value
from labdiff.config.stored_options import stored_options
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError, reading
from labdiff.runs.format import check_format
from labdiff.session.data_record import DataRecord, class_numbers
from labdiff.session.models import build_odu, twin_geometry
from labdiff.session.training_session import TrainingSession
from twin.denoising_unit import OpticalDenoisingUnit

DEFINITION = "labdiff_layers"
VERSION = 2
GREY_LEVELS = 256
MOST_PROMPTS = 10_000
"""Largest number of classes that a layer file may name."""
PRETRAINED = "pretrained"
"""Name on the command line of the layers that come with the program."""
_VERSIONED = ("labdiff", "numpy", "torch")


@dataclass(frozen=True, slots=True)
class Layers:
    """A unit, the options and the bench (its file's text) that it was trained with.

    data: description of the training images; training_images: how many. versions: of the programs.
    classes: that can be prompted; None if the file, an older one, does not state them.
    """

    unit: OpticalDenoisingUnit
    options: TrainingOptions
    bench_text: str
    data: str
    training_images: int
    versions: dict[str, str]
    classes: tuple[int, ...] | None = None

    def load_into(self, session: TrainingSession) -> None:
        """Give a session these weights. Raises UserError, naming what differs, if they do not fit."""
        check_options(self.options, session.options)
        check_bench(parse_bench(self.bench_text, "the layers' bench"), session.calibrated.config)
        session.odu.load_state_dict(self.unit.state_dict())
        session.pretrained = True


UNIT_OPTIONS = (
    "data",
    "classes",
    "image_size",
    "layer_sets",
    "timestep_edges",
    "clusters",
    "first_t",
    "tone_curve",
    "layers",
    "detection",
    "writing",
    "cells",
    "prediction",
    "prompt",
    "seed",
)
"""Options that layers are made for; among them the seed, because it decides which images are held out."""


def check_bench(made_for: BenchConfig, wanted: BenchConfig) -> None:
    """Refuse layers that were made for another bench with a UserError that names what differs."""
    mine, theirs = asdict(twin_geometry(made_for)), asdict(twin_geometry(wanted))
    for name, value in mine.items():
        if value != theirs[name]:
            raise UserError(
                f"bench {wanted.name!r}: {name} = {theirs[name]}, but the layers "
                f"were trained for {value}; give a bench that they fit"
            )


def check_options(made_for: TrainingOptions, wanted: TrainingOptions) -> None:
    """Raise UserError, naming the option, if one differs that layers are made for."""
    for name in UNIT_OPTIONS:
        had, wants = getattr(made_for, name), getattr(wanted, name)
        if had != wants:
            raise UserError(f"{name} = {wants}, but the layers were trained with {name} = {had}")


def options_from_layers(
    path: Path, wanted: Mapping[str, Value], given: Set[str]
) -> dict[str, Value]:
    """Return the options of a training that starts from a layer file: the file's, and those wanted.

    What layers are made for counts only if it was given by the user: it is then checked.

    Args:
        path: the layer file.
        wanted: options by name.
        given: names of those that the user has given.

    Raises:
        UserError: if one differs, in one line that names it; and as `read_layers` does.
    """
    had = read_layers(path).options
    own = {*UNIT_OPTIONS, "offline_steps"}
    chosen = {k: v for k, v in wanted.items() if k in given or k not in own}
    options = {**had.model_dump(), **chosen, "offline_steps": had.offline_steps}
    check_options(had, TrainingOptions.model_construct(**options))
    return options


def grey_levels(phases: Tensor) -> Tensor:
    """Return phases, rad, as uint8 grey levels of a turn, rounded to the nearest."""
    levels = torch.round(phases.detach().double() / (2.0 * math.pi) * GREY_LEVELS)
    return torch.remainder(levels, GREY_LEVELS).to(torch.uint8)


def write_layers(path: Path, session: TrainingSession, bench_text: str) -> None:
    """Write a session's layers, atomically.

    Args:
        path: Of the layer file.
        session: With the trained unit.
        bench_text: The bench file that they were trained for.

    Raises:
        UserError: The file cannot be written.
    """
    options = session.options.model_dump_json(indent=2)
    write_unit(path, session.odu, session.data, {"bench": bench_text, "options": options})


def write_unit(
    path: Path, unit: OpticalDenoisingUnit, data: DataRecord, texts: Mapping[str, str]
) -> None:
    """Write a layer file.

    Args:
        path: of the file.
        unit: the trained unit.
        data: that it was trained on.
        texts: bench file and options, by the names of their attributes.

    Raises:
        UserError: if it cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["definition"] = DEFINITION
        file.attrs["version"] = VERSION
        file.attrs.update(texts)
        file.attrs["data"] = data.source
        file.attrs["training_images"] = data.training_images
        file.attrs["classes"] = ",".join(map(str, data.classes))
        file.attrs["prompts"] = unit.layout.prompts
        for package in _VERSIONED:
            file.attrs[f"version_{package}"] = metadata.version(package)
        for name, value in unit.state_dict().items():
            if name == "phases":
                levels = grey_levels(value).numpy()
                file.create_dataset(name, data=levels, compression="gzip", compression_opts=9)
            else:
                file.create_dataset(name, data=value.numpy().astype(np.float32))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, image.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def is_layer_file(path: Path) -> bool:
    """Return whether a file calls itself a layer file; False for whatever cannot be read."""
    try:
        with reading(path, "a layer file"), open_hdf5(path) as file:
            return read_text(file, "definition", "") == DEFINITION
    except UserError:
        return False


def read_layers(path: Path) -> Layers:
    """Read a layer file. Raises UserError if it is missing, damaged, another kind or another version."""
    if not path.is_file():
        raise UserError(
            f"{path}: no such layer file. 'labdiff layers export RUN -o FILE' makes one."
        )
    with reading(path, "a layer file of labdiff, whole"), open_hdf5(path) as file:
        if read_text(file, "definition", "") != DEFINITION:
            raise UserError(
                f"{path}: not a layer file. 'labdiff layers export RUN -o FILE' makes one of a run."
            )
        check_format(path, int(read_number(file, "version")), VERSION, oldest=VERSION)
        return _read(path, file)


def _read(path: Path, file: h5py.File) -> Layers:
    options = stored_options(read_text(file, "options"), f"{path}, options")
    bench_text = read_text(file, "bench")
    config = parse_bench(bench_text, f"{path}, bench")
    prompts = int(read_number(file, "prompts", 0))
    if not 0 <= prompts <= MOST_PROMPTS:
        raise UserError(f"{path}: prompts = {prompts}; allowed is 0 ... {MOST_PROMPTS}")
    _check_size(path, file, config, options)
    unit = build_odu(config, options, prompts=prompts)
    for name, value in unit.state_dict().items():
        stored = read_array(file, name)
        kind = np.uint8 if name == "phases" else np.float32
        if stored.dtype != kind or stored.shape != tuple(value.shape):
            raise UserError(
                f"{path}: {name} holds {stored.dtype} {stored.shape}; "
                f"its options and its bench need {np.dtype(kind)} {tuple(value.shape)}"
            )
        found = torch.from_numpy(np.array(stored, np.float32))
        # The unit's own tensors are filled: a state dict shares them.
        value.copy_(found * (2.0 * math.pi / GREY_LEVELS) if name == "phases" else found)
    return Layers(
        unit=unit,
        options=options,
        bench_text=bench_text,
        data=read_text(file, "data"),
        training_images=int(read_number(file, "training_images")),
        classes=class_numbers(read_text(file, "classes")) if "classes" in file.attrs else None,
        versions={
            name.removeprefix("version_"): read_text(file, name)
            for name in file.attrs
            if name.startswith("version_")
        },
    )


def _check_size(path: Path, file: h5py.File, config: BenchConfig, options: TrainingOptions) -> None:
    """Refuse phases of another shape than the options say, before a unit of that size is made.

    Args:
        path: the layer file, for messages.
        file: the same, open.
        config: its bench.
        options: its options.
    """
    wanted = (options.all_layer_sets, config.layers, *config.cavity.patch_shape)
    found = find_array(file, "phases", "u", len(wanted)).shape
    if found != wanted:
        raise UserError(f"{path}: phases holds {found}; its options and its bench need {wanted}")


def layer_path(path_or_name: str) -> Path:
    """Return a layer file's path; "pretrained" is the one that comes with the program."""
    if path_or_name == PRETRAINED:
        return pretrained_path()
    return Path(path_or_name)


def pretrained_path() -> Path:
    """Return the path of the layers for the embedded digits (`labdiff.cli.make_pretrained`)."""
    return Path(str(resources.files("labdiff"))) / "session" / "pretrained" / "digits.h5"
