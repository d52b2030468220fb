"""Read idx files, MNIST's format: a magic number, the shape, then bytes; gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labdiff.data.readers.raw import RawImages, class_numbers, grey_images
from labdiff.errors import UserError

IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"
BYTES = 8
"""Third byte of the magic number: what the file holds. The fourth is the number of dimensions."""


def holds_idx(path: Path) -> bool:
    """Whether a file is idx images by its name, or a folder has some."""
    if path.is_dir():
        return _packed_or_not(path, "train" + IMAGES) is not None
    return path.name.removesuffix(".gz").endswith(IMAGES)


def read_idx(path: Path) -> RawImages:
    """Images and labels: of a folder train-... and, if there, t10k-...; of a file its own alone.

    Raises UserError if the labels are missing or a file is no idx file of bytes.
    """
    if path.is_file():
        return RawImages(*_pair(path.parent, path.name.removesuffix(".gz").removesuffix(IMAGES)))
    images, labels = _pair(path, "train")
    if _packed_or_not(path, "t10k" + IMAGES) is None:
        return RawImages(images, labels)
    return RawImages(images, labels, *_pair(path, "t10k"))


def _pair(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    files: list[Path] = []
    for name in (part + IMAGES, part + LABELS):
        file = _packed_or_not(folder, name)
        if file is None:
            raise UserError(f"{folder}: {name}[.gz] is missing beside {files[0].name}")
        files.append(file)
    images = _read(files[0], 3)
    labels = class_numbers(_read(files[1], 1), len(images), str(files[1]))
    grey_images(images, str(files[0]))
    return images, labels


def _packed_or_not(folder: Path, name: str) -> Path | None:
    candidates = (folder / name, folder / f"{name}.gz")
    return next((file for file in candidates if file.is_file()), None)


def _read(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a readable file: {error}") from None
    header = 4 + 4 * dimensions
    if len(raw) < header or tuple(raw[:4]) != (0, 0, BYTES, dimensions):
        raise UserError(f"{path}: not an idx file of bytes in {dimensions} dimension(s)")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", dimensions, 4))
    body = np.frombuffer(raw, np.uint8, offset=header)
    if body.size != int(np.prod(shape)):
        raise UserError(f"{path}: {body.size} bytes of data; its header promises {shape}")
    return body.reshape(shape)
