"""Phase patterns as people have them, for an SLM of 30 x 40."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.file_checks.case import Kind, Right

SHAPE = (30, 40)
Levels = npt.NDArray[np.uint8]


def _array(change: Callable[[Levels], Any], folder: Path, rng: np.random.Generator) -> Path:
    np.save(folder / "p.npy", change(rng.integers(0, 256, SHAPE, np.uint8)), allow_pickle=True)
    return folder / "p.npy"


def _picture(
    name: str, change: Callable[[Image.Image], Image.Image], folder: Path, rng: np.random.Generator
) -> Path:
    change(Image.fromarray(rng.integers(0, 256, SHAPE, np.uint8))).save(folder / name)
    return folder / name


def _npy(name: str, right: Right, change: Callable[[Levels], Any]) -> Kind:
    return Kind(f"pattern: {name}", "pattern", right, partial(_array, change))


def _file(name: str, right: Right, change: Callable[[Image.Image], Image.Image]) -> Kind:
    return Kind(f"pattern: {name}", "pattern", right, partial(_picture, name, change))


KINDS = (
    _npy("radians", "read", lambda g: g / 40.0),
    _npy("radians beyond 10^8", "read", lambda g: g / 40.0 + 2e8 * np.pi),
    _npy("levels", "read", lambda g: g),
    _npy("levels of 16 bits", "refused", lambda g: g.astype(np.uint16) * 257),
    _npy("not a number", "refused", lambda g: np.where(g > 200, np.nan, g / 40.0)),
    _npy("1e300", "refused", lambda g: np.where(g > 200, 1e300, g / 40.0)),
    _npy("complex fields", "refused", lambda g: np.exp(1j * g / 40.0)),
    _npy("objects", "refused", lambda g: g.astype(object)),
    _npy("turned", "refused", lambda g: g.T / 40.0),
    _npy("three dimensions", "refused", lambda g: g[None] / 40.0),
    _npy("big-endian, by columns", "read", lambda g: np.asfortranarray(g / 40.0).astype(">f8")),
    _file("grey.png", "read", lambda image: image),
    _file("grey.bmp", "read", lambda image: image),
    _file("grey.tif", "read", lambda image: image),
    _file("equal.png", "read", lambda image: Image.merge("RGB", [image] * 3)),
    _file(
        "colour.png", "refused", lambda image: Image.merge("RGB", [image, image.rotate(180), image])
    ),
    _file("two_levels.png", "refused", lambda image: image.convert("1")),
    _file("grey.gif", "refused", lambda image: image),
)
