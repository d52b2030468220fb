"""One strange file: what it is, who reads it, and what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

Reader = Literal["images", "pattern", "bench", "sweep", "run", "layers", "archive"]
Right = Literal["read", "refused"]
Make = Callable[[Path, np.random.Generator], Path]
"""Writes a file (or folder) below a new folder, and returns its path."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. right: what the reader does with each of them."""

    name: str
    reader: Reader
    right: Right
    make: Make


@dataclass(frozen=True, slots=True)
class Case:
    """A file on the disk. right: None where either is (a mutated file may have stayed whole)."""

    kind: str
    reader: Reader
    path: Path
    right: Right | None
