"""Load a data set, select classes, resize, and split into training and held-out images."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from labdiff.errors import UserError

KNOWN = ("digits", "mnist", "fashion_mnist", "quickdraw_clock", "afhq_cat")
FILE_DATA_SETS = KNOWN[1:]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Grey images (count, H, W) in -1 ... 1 and their class numbers.

    source: where they come from, in words, for the report.
    """

    name: str
    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor
    source: str


def load_images(
    name: str,
    size: int,
    classes: Sequence[int] = (),
    data_dir: Path | None = None,
    seed: int = 0,
) -> ImageSet:
    """A data set at `size` x `size`; 20 % of the images, at least 64, are held out.

    "digits" is scikit-learn's copy of the UCI digits (1,797 images of 8 x 8). The others are read from
    `NAME.npz` or MNIST's idx files in `data_dir` or in the folder that LABDIFF_DATA names.
    Raises UserError for an unknown name, missing or wrong files, or classes that are not there.
    """
    if name == "digits":
        images, labels, source = _embedded_digits()
    elif name in FILE_DATA_SETS:
        images, labels, source = _from_files(name, data_dir)
    else:
        raise UserError(f"data set {name!r}: unknown; known are {', '.join(KNOWN)}")
    if classes:
        missing = sorted(set(classes) - set(labels.tolist()))
        if missing:
            present = ", ".join(map(str, sorted(set(labels.tolist()))))
            raise UserError(f"data set {name!r}: no class {missing[0]}; it has {present}")
        keep = np.isin(labels, list(classes))
        images, labels = images[keep], labels[keep]
    order = np.random.default_rng(seed).permutation(len(images))
    held_out = max(64, len(images) // 5)
    if len(images) <= held_out:
        raise UserError(f"data set {name!r}: {len(images)} images are too few to hold 64 out")
    resized = _resize(images[order], size)
    ordered = torch.from_numpy(labels[order].astype(np.int64))
    return ImageSet(
        name=name,
        train=resized[held_out:],
        test=resized[:held_out],
        train_labels=ordered[held_out:],
        test_labels=ordered[:held_out],
        source=f"{source}; {len(images) - held_out} for training, {held_out} held out",
    )


def _resize(images: npt.NDArray[np.float32], size: int) -> Tensor:
    grey = torch.from_numpy(images)[:, None]
    if grey.shape[-2:] != (size, size):
        shrinks = grey.shape[-1] > size
        grey = torch.nn.functional.interpolate(
            grey, (size, size), mode="bilinear", align_corners=False, antialias=shrinks
        )
    return grey[:, 0] * 2.0 - 1.0


def _embedded_digits() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], str]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.asarray(bunch.images, dtype=np.float32) / 16.0
    return images, np.asarray(bunch.target, dtype=np.int64), "UCI digits in scikit-learn"


def data_folder(data_dir: Path | None) -> Path | None:
    """The folder of the user's data files: the argument, else LABDIFF_DATA, else none."""
    if data_dir is not None:
        return data_dir
    from_environment = os.environ.get("LABDIFF_DATA")
    return Path(from_environment) if from_environment else None


def _from_files(
    name: str, data_dir: Path | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], str]:
    folder = data_folder(data_dir)
    if folder is None:
        raise UserError(
            f"data set {name!r}: no data folder. Give --data-dir FOLDER or set LABDIFF_DATA to the "
            f"folder that holds {name}.npz or its idx files; 'digits' needs no files."
        )
    archive = folder / f"{name}.npz"
    if archive.is_file():
        return _from_npz(archive, name)
    for suffix in ("", ".gz"):
        images_file = folder / f"train-images-idx3-ubyte{suffix}"
        labels_file = folder / f"train-labels-idx1-ubyte{suffix}"
        if images_file.is_file() and labels_file.is_file():
            images = _read_idx(images_file).astype(np.float32) / 255.0
            return images, _read_idx(labels_file).astype(np.int64), f"{name}, idx files"
    raise UserError(
        f"data set {name!r}: neither {archive} nor train-images-idx3-ubyte[.gz] is in {folder}. "
        f"Put the files there, or use --data digits."
    )


def _from_npz(path: Path, name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], str]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys = list(archive)
            key = next(
                (
                    k
                    for k in ("x_train", "train_images", "images", "x", "clock", "gray40")
                    if k in keys
                ),
                None,
            )
            if key is None:
                raise UserError(
                    f"{path}: no images; found {', '.join(keys)}, expected x_train or images"
                )
            images = np.asarray(archive[key])
            label_key = next(
                (k for k in ("y_train", "train_labels", "labels", "y") if k in keys), None
            )
            labels = (
                np.asarray(archive[label_key]).astype(np.int64)
                if label_key
                else np.zeros(len(images), np.int64)
            )
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: not a readable npz file: {error}") from None
    if images.ndim == 2:
        side = round(images.shape[1] ** 0.5)
        images = images.reshape(len(images), side, side)
    if images.ndim != 3:
        raise UserError(f"{path}: {key} has shape {images.shape}; expected (count, height, width)")
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    return images.astype(np.float32) / scale, labels, f"{name}, {path.name}"


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if len(raw) < 4 or raw[2] != 8 or raw[3] not in (1, 3):
        raise UserError(f"{path}: not an idx file of bytes")
    dimensions = raw[3]
    shape = np.frombuffer(raw, ">u4", dimensions, 4).astype(int)
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions)
    if body.size != int(np.prod(shape)):
        raise UserError(f"{path}: {body.size} bytes of images; its header promises {tuple(shape)}")
    return body.reshape(shape)
