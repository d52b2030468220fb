"""Libraries, modules and drivers that a bench, sweep or run file names: none may be loaded."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.attack_checks.attempt import CODE, Attempt, Canary
from benchmarks.file_checks.pattern_kinds import SHAPE
from drivers.registry import LASERS
from drivers.settings import LaserSettings
from gui.slm_patterns.pattern_file import load_pattern
from labdiff.bench.check_devices import check_devices
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchConfig, load_bench
from labdiff.config.driver_options import driver_options, find_driver
from labdiff.data.image_set import load_images
from labdiff.errors import UserError
from labdiff.metrics.inception import load_inception
from labdiff.runs.reader import read_run
from labdiff.session.layer_file import read_layers

MOCK = resources.files("labdiff").joinpath("config", "benches", "mock.toml").read_text("utf-8")


@contextmanager
def _importable(folder: Path, *names: str) -> Iterator[None]:
    """Let modules of a stranger lie where Python would find them, as in the current folder."""
    for name in names:
        (folder / f"{name}.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)


def _opens(config: BenchConfig) -> None:
    open_bench(config, 0).close()


def _checks(config: BenchConfig) -> None:
    for _ in check_devices(config):
        pass


def _option(
    opens: Callable[[BenchConfig], object],
    kind: str,
    driver: str,
    options: dict[str, Any],
    folder: Path,
) -> Sequence[str]:
    """Give a driver an option that names a library. FOLDER in it stands for the attempt's own."""
    for name in ("evil.so", "evil.dll", "evil.cti", "evil.py", "evil.yaml"):
        (folder / name).write_text(CODE)
    given = _filled(options, str(folder))
    config = load_bench("mock")
    section = getattr(config, kind).model_copy(update={"driver": driver, "options": given})
    nothing = {"LABDIFF_CONFIG": str(folder / "config"), "LABDIFF_LIBRARIES": ""}
    with _importable(folder, "pyvisa_evil"), patch.dict(os.environ, nothing):
        try:
            opens(config.model_copy(update={kind: section}))
        except UserError as error:
            return [] if "names a library" in str(error) else [f"refused by chance: {error}"]
    return ["opened"]


def _filled(value: Any, folder: str) -> Any:
    match value:
        case str():
            return value.replace("FOLDER", folder)
        case dict():
            return {name: _filled(each, folder) for name, each in value.items()}
        case list():
            return [_filled(each, folder) for each in value]
    return value


def _profile(folder: Path) -> Sequence[str]:
    """Describe a laser, by a file which a bench file names, that names a library."""
    file = folder / "laser.toml"
    file.write_text('title = "a laser"\n[options]\nlibrary = "@evil"\n')
    driver = find_driver(LASERS, "profile")
    options = driver_options("laser", "profile", driver.Options, {"file": str(file)})
    with _importable(folder, "pyvisa_evil"):
        driver.from_settings(LaserSettings("TCPIP::127.0.0.1::1::SOCKET", 532.0, options))
    return ["opened"]


def _driver(name: str, folder: Path) -> Sequence[str]:
    file = folder / "bench.toml"
    driver = name.replace("FOLDER", folder.as_posix())
    file.write_text(MOCK.replace('driver = "mock"', f'driver = "{driver}"'))
    with _importable(folder, "evil"):
        open_bench(load_bench(str(file)), 0).close()
    return ["opened"]


def _file(
    name: str, write: Callable[[Path], None], read: Callable[[Path], object], folder: Path
) -> Sequence[str]:
    """Offer a file that holds pickled code."""
    path = folder / name
    write(path)
    read(path)
    return []


def _objects() -> Any:
    return np.array([Canary()], dtype=object)


def _npy(path: Path) -> None:
    np.save(path, _objects(), allow_pickle=True)


def _npz(path: Path) -> None:
    np.savez(path, images=_objects(), labels=_objects())


def _labels(path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12)).astype(np.uint8)
    np.savez(path, images=images, labels=np.array([Canary()] * 4, dtype=object))


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Canary()))


def _torch(path: Path) -> None:
    import torch

    torch.save({"state": Canary()}, path)


def _images(path: Path) -> object:
    return load_images(str(path), 12)


def _pattern(path: Path) -> object:
    return load_pattern(path, SHAPE)


PICKLES: list[tuple[str, Callable[[Path], None], Callable[[Path], object]]] = [
    ("images.npy", _npy, _images),
    ("images.npz", _npz, _images),
    ("labels.npz", _labels, _images),
    ("images.pkl", _pickle, _images),
    ("images.pt", _torch, _images),
    ("pickle.npy", _pickle, _images),
    ("pattern.npy", _npy, _pattern),
    ("pattern.npz", _npz, _pattern),
    ("layers.h5", _pickle, read_layers),
    ("layers.pt", _torch, read_layers),
    ("weights.pth", _torch, load_inception),
    ("weights.pkl", _pickle, load_inception),
    ("run.h5", _pickle, read_run),
    ("run.pt", _torch, read_run),
]

ATTEMPTS = [
    *(
        Attempt(
            f"{kind}.options of {driver}: {options}",
            partial(_option, _opens, kind, driver, options),
        )
        for kind, driver, options in (
            ("laser", "scpi", {"library": "@evil"}),
            ("laser", "scpi", {"library": "FOLDER/evil.so"}),
            ("laser", "scpi", {"library": "FOLDER/evil.yaml@sim"}),
            ("laser", "scpi", {"library": "FOLDER/evil.dll@ivi"}),
            ("laser", "obis", {"library": "@evil"}),
            ("camera", "genicam", {"producer": "FOLDER/evil.cti"}),
            ("camera", "genicam", {"producer": "evil.cti"}),
            ("camera", "micromanager", {"folder": "FOLDER", "adapter": "evil", "device": "evil"}),
            ("slm", "meadowlark", {"sdk": "FOLDER"}),
            ("slm", "slmsuite", {"arguments": {"sdk_path": "FOLDER"}}),
            ("slm", "slmsuite", {"arguments": {"a": [{"b": "FOLDER/evil.so"}]}}),
            ("input", "dmd_alp", {"library": "FOLDER"}),
        )
    ),
    *(
        Attempt(
            f"bench check: {kind}.options of {driver}",
            partial(_option, _checks, kind, driver, options),
        )
        for kind, driver, options in (
            ("laser", "obis", {"library": "@evil"}),
            ("camera", "genicam", {"producer": "FOLDER/evil.cti"}),
        )
    ),
    Attempt("a laser's description names a library", _profile),
    *(
        Attempt(f"driver = {name!r}", partial(_driver, name))
        for name in (
            "evil",
            "evil:main",
            "os:system",
            "FOLDER/evil.py",
            "../evil",
            "evil.py",
            "labdiff.cli.main",
        )
    ),
    *(
        Attempt(f"pickled code in {name}", partial(_file, name, write, read))
        for name, write, read in PICKLES
    ),
]
