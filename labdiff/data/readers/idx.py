"""Read idx files, MNIST's format: a magic number, the shape, then bytes; gzipped or not.

The names are MNIST's (train-images-idx3-ubyte), with a dot for a hyphen as some unpackers write them,
EMNIST's (emnist-letters-train-images-idx3-ubyte), and Kaggle's, where each file lies in a folder of
its own name.
"""

from __future__ import annotations

import gzip
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labdiff.data.readers.arrays import class_numbers
from labdiff.data.readers.raw import MOST_BYTES, RawImages
from labdiff.errors import UserError, reading

IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"
NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?"
)
"""Name of an idx file: what comes before the split, the split, and what the file holds."""
BYTES = 8
"""Third byte of the magic number: what the file holds. The fourth is the number of dimensions."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    prefix: str
    train: bool
    images: bool


def holds_idx(path: Path) -> bool:
    """Return whether a file is idx images by its name, or a folder has such training images."""
    if path.is_dir():
        return any(file.train and file.images for file in _files(path))
    found = _named(path)
    return found is not None and found.images


def read_idx(path: Path) -> RawImages:
    """Return images and classes: of a folder its training and, if there, test images; of a file its own.

    Raises:
        UserError: if the labels are missing or a file is no idx file of bytes.
    """
    named = _named(path) if path.is_file() else None
    files = _files(path if named is None else path.parent)
    if named is not None:
        return RawImages(*_pair(path.parent, files, named.prefix, named.train))
    prefixes = sorted({file.prefix for file in files if file.train and file.images})
    if len(prefixes) > 1:
        raise UserError(
            f"{path}: holds several data sets, {', '.join(prefixes)}; "
            "give each a folder of its own, or name one images file"
        )
    prefix = prefixes[0]
    images, labels = _pair(path, files, prefix, True)
    if not any(f.images and not f.train and f.prefix == prefix for f in files):
        return RawImages(images, labels)
    return RawImages(images, labels, *_pair(path, files, prefix, False))


def _named(path: Path) -> _File | None:
    match = NAME.fullmatch(path.name)
    if match is None:
        return None
    return _File(path, match["prefix"], match["part"] == "train", match["what"] == "images")


def _files(folder: Path) -> list[_File]:
    """Return the idx files of a folder, also those that lie in a folder of their own name."""
    found = []
    for path in sorted(folder.iterdir()):
        inside = path / path.name
        file = inside if path.is_dir() and inside.is_file() else path
        named = _named(file) if file.is_file() else None
        if named is not None:
            found.append(named)
    return found


def _pair(
    folder: Path, files: list[_File], prefix: str, train: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return images and labels of one split."""
    pair: list[Path] = []
    for is_images in (True, False):
        path = next(
            (
                f.path
                for f in files
                if f.prefix == prefix and f.train == train and f.images == is_images
            ),
            None,
        )
        if path is None:
            part = prefix + ("train" if train else "t10k")
            raise UserError(
                f"{folder}: {part}{IMAGES if is_images else LABELS}[.gz] is missing"
                + (f" beside {pair[0].name}" if pair else "")
            )
        pair.append(path)
    images = _read(pair[0], 3)
    labels, _ = class_numbers(_read(pair[1], 1), len(images), str(pair[1]))
    if images.size == 0:
        raise UserError(f"{pair[0]}: shape {images.shape}; there are no images")
    # EMNIST's files hold every image transposed (Cohen et al. 2017, section III).
    return (images.swapaxes(1, 2) if prefix.startswith("emnist") else images), labels


def _read(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    with reading(path, "an idx file of bytes, gzipped or not"):
        raw = _bytes(path)
    header = 4 + 4 * dimensions
    if len(raw) < header or tuple(raw[:4]) != (0, 0, BYTES, dimensions):
        raise UserError(f"{path}: not an idx file of bytes in {dimensions} dimension(s)")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", dimensions, 4))
    body = np.frombuffer(raw, np.uint8, offset=header)
    if body.size != math.prod(shape):
        raise UserError(f"{path}: {body.size} bytes of data; its header promises {shape}")
    return body.reshape(shape)


def _bytes(path: Path) -> bytes:
    """Return the file's bytes, unpacked if they are gzipped, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            content = file.read(MOST_BYTES + 1)
        else:
            with gzip.open(file) as unpacked:
                content = unpacked.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: unpacks to more than {MOST_BYTES:,} bytes, which is not read")
    return content
