"""Bench files and sweep files as people write them, and what looks like one."""

from __future__ import annotations

from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np

from benchmarks.file_checks.case import Kind, Reader, Right

MOCK = resources.files("labdiff").joinpath("config", "benches", "mock.toml").read_text("utf-8")
SWEEP = """bench = "mock"
[options]
offline_steps = 2
[grid.options]
batch = [2, 4]
"""


def _written(name: str, content: bytes, folder: Path, rng: np.random.Generator) -> Path:
    del rng
    (folder / name).write_bytes(content)
    return folder / name


def _text(name: str, right: Right, text: str | bytes, reader: Reader = "bench") -> Kind:
    content = text if isinstance(text, bytes) else text.encode()
    return Kind(f"{reader}: {name}", reader, right, partial(_written, f"{reader}.toml", content))


def _with(old: str, new: str) -> str:
    if old not in MOCK:
        raise ValueError(f"{old!r} is not in the shipped bench file")
    return MOCK.replace(old, new, 1)


WAVELENGTH = "wavelength_nm = 850.0"
KINDS = (
    _text("the shipped one", "read", MOCK),
    _text("Windows line ends", "read", MOCK.replace("\n", "\r\n")),
    _text("a byte order mark", "read", b"\xef\xbb\xbf" + MOCK.encode()),
    _text("UTF-16", "refused", MOCK.encode("utf-16")),
    _text("Latin-1", "refused", _with('name = "mock"', 'name = "Küche"').encode("latin-1")),
    _text("empty", "refused", ""),
    _text("JSON", "refused", '{"name": "mock"}'),
    _text("zero bytes", "refused", bytes(1000)),
    _text("a wrong key", "refused", _with(WAVELENGTH, "wavelenght_nm = 850.0")),
    _text("a word for a number", "refused", _with(WAVELENGTH, 'wavelength_nm = "red"')),
    _text("a decimal comma", "refused", _with(WAVELENGTH, "wavelength_nm = 850,0")),
    _text("not a number", "refused", _with(WAVELENGTH, "wavelength_nm = nan")),
    _text("infinite", "refused", _with(WAVELENGTH, "wavelength_nm = inf")),
    _text("negative", "refused", _with(WAVELENGTH, "wavelength_nm = -850.0")),
    _text("metres for nanometres", "refused", _with(WAVELENGTH, "wavelength_nm = 850e-9")),
    _text(
        "a number of 100,000 digits",
        "refused",
        _with(WAVELENGTH, "wavelength_nm = " + "9" * 100_000),
    ),
    _text("a key twice", "refused", _with(WAVELENGTH, f"{WAVELENGTH}\n{WAVELENGTH}")),
    _text("a list nested 20,000 deep", "refused", "a = " + "[" * 20_000 + "]" * 20_000),
    _text("a table nested 5,000 deep", "refused", "a = " + "{a=" * 5_000 + "1" + "}" * 5_000),
    _text("a key of 20,000 parts", "refused", ".".join("a" * 20_000) + " = 1"),
    _text(
        "a panel of 10^18 pixels",
        "refused",
        _with("shape = [144, 640]", "shape = [1000000000, 1000000000]"),
    ),
    _text("patches that overlap", "refused", _with("[20, 140,", "[20, 21,")),
    _text("a driver that is none", "refused", _with('driver = "mock"', 'driver = "os:system"')),
    _text("a driver as a path", "refused", _with('driver = "mock"', 'driver = "../../evil"')),
    _text("a sweep", "read", SWEEP, "sweep"),
    _text("a sweep over nothing", "read", 'bench = "mock"\n', "sweep"),
    _text("a sweep over an unknown option", "refused", SWEEP.replace("batch", "bach"), "sweep"),
    _text("a sweep, nested deep", "refused", "grid = " + "[" * 20_000, "sweep"),
)
