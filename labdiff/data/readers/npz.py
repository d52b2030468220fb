"""Read a numpy archive (.npz), under the names that Keras, MedMNIST and others use."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.plain_text import plain_line
from labdiff.data.readers.arrays import GreyImages, class_numbers, grey_images
from labdiff.data.readers.npy_header import check_npy
from labdiff.data.readers.raw import Labels, RawImages, ReadOptions
from labdiff.errors import UserError, reading

IMAGES = ("x_train", "train_images", "images", "x", "data", "imgs", "clock", "gray40", "arr_0")
LABELS = ("y_train", "train_labels", "labels", "y", "targets")
TEST_IMAGES = ("x_test", "test_images")
TEST_LABELS = ("y_test", "test_labels")
VALIDATION_IMAGES = ("x_val", "val_images", "x_valid", "valid_images")
CLASS_NAMES = ("class_names", "label_names")
EXPECTED = "a numpy archive (.npz) with x_train or images"


@dataclass(frozen=True, slots=True)
class _Part:
    """One split: its images, what means white, and its classes."""

    grey: GreyImages
    labels: Labels
    names: tuple[str, ...]
    labelled: bool


def read_npz(path: Path, options: ReadOptions) -> RawImages:
    """Return the images under one of the names IMAGES, their classes, and the archive's test images.

    Raises:
        UserError: names the file, the key, and what is allowed.
    """
    arrays, names = _arrays(path)
    train = _part(path, arrays, (IMAGES, LABELS), options)
    if train is None:
        raise UserError(
            f"{path}: no images; found {plain_line(', '.join(names)) or 'nothing'}, expected x_train "
            "or images"
        )
    class_names = _class_names(path, arrays, train.labels) or train.names
    notes: list[str] = []
    validation = next((name for name in VALIDATION_IMAGES if name in arrays), None)
    if validation is not None:
        notes.append(f"{len(arrays[validation])} validation images ({validation}) are left aside")
    test = _part(path, arrays, (TEST_IMAGES, TEST_LABELS), options)
    if test is None or (train.labelled and not test.labelled):
        if test is not None:
            notes.append(f"{len(test.labels)} test images without classes are left aside")
        test = None
    elif test.grey.full_scale != train.grey.full_scale or test.names != train.names:
        raise UserError(
            f"{path}: training and test images differ: white {train.grey.full_scale} and "
            f"{test.grey.full_scale}, classes {', '.join(train.names) or 'by number'} and "
            f"{', '.join(test.names) or 'by number'}; store both alike"
        )
    return RawImages(
        train.grey.images,
        train.labels,
        test.grey.images if test else None,
        test.labels if test else None,
        class_names,
        train.grey.white,
        train.grey.full_scale,
        tuple(notes),
    )


def _arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Return the arrays that are known by name, names in small letters, and all names there are."""
    known = {*IMAGES, *LABELS, *TEST_IMAGES, *TEST_LABELS, *VALIDATION_IMAGES, *CLASS_NAMES}
    found: dict[str, npt.NDArray[Any]] = {}
    with reading(f"{path}: not a readable npz file", EXPECTED), zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        for info in members:
            name = info.filename.removesuffix(".npy").lower()
            if name in known:
                where = f"{path}, {name}"
                if info.flag_bits & 1:
                    raise UserError(f"{where}: is encrypted; unpack it with its password first")
                with archive.open(info) as file:
                    check_npy(file, info.file_size, where)
                    found[name] = np.asarray(np.load(file, allow_pickle=False))
    return found, [info.filename.removesuffix(".npy") for info in members]


def _part(
    path: Path,
    arrays: dict[str, npt.NDArray[Any]],
    keys: tuple[tuple[str, ...], tuple[str, ...]],
    options: ReadOptions,
) -> _Part | None:
    """Return one split by its possible names of images and of labels; None if it is not there."""
    key = next((name for name in keys[0] if name in arrays), None)
    if key is None:
        return None
    grey = grey_images(arrays[key], f"{path}, {key}", options.white, options.background)
    count = len(grey.images)
    label_key = next((name for name in keys[1] if name in arrays), None)
    if label_key is None:
        return _Part(grey, np.zeros(count, np.int64), (), False)
    labels, names = class_numbers(arrays[label_key], count, f"{path}, {label_key}")
    return _Part(grey, labels, names, True)


def _class_names(
    path: Path, arrays: dict[str, npt.NDArray[Any]], labels: Labels
) -> tuple[str, ...]:
    key = next((name for name in CLASS_NAMES if name in arrays), None)
    if key is None:
        return ()
    names, most = arrays[key], int(labels.max(initial=0))
    if names.ndim != 1 or len(names) <= most:
        raise UserError(
            f"{path}, {key}: shape {names.shape}; expected a list of {most + 1} names, "
            f"one for each class number 0 ... {most}"
        )
    return tuple(map(plain_line, names))
