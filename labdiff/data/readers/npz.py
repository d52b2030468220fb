"""Read a numpy archive (.npz)."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from labdiff.data.readers.raw import RawImages, class_numbers, grey_images
from labdiff.errors import UserError

IMAGES = ("x_train", "train_images", "images", "x", "clock", "gray40")
LABELS = ("y_train", "train_labels", "labels", "y")
TEST_IMAGES = ("x_test", "test_images")
TEST_LABELS = ("y_test", "test_labels")


def read_npz(path: Path) -> RawImages:
    """Images under one of the names IMAGES, and what else is there. Raises UserError."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it is a single array; call it .npy")
            wanted = (*IMAGES, *LABELS, *TEST_IMAGES, *TEST_LABELS, "class_names")
            found = {name: np.asarray(archive[name]) for name in archive if name in wanted}
            names = list(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: not a readable npz file: {error}") from None

    def first(among: tuple[str, ...]) -> str | None:
        return next((name for name in among if name in found), None)

    key = first(IMAGES)
    if key is None:
        raise UserError(
            f"{path}: no images; found {', '.join(names) or 'nothing'}, expected x_train or images"
        )
    images = grey_images(found[key], f"{path}, {key}")
    labels = np.zeros(len(images), np.int64)
    if label_key := first(LABELS):
        labels = class_numbers(found[label_key], len(images), f"{path}, {label_key}")
    class_names = tuple(map(str, found["class_names"])) if "class_names" in found else ()

    test_key, test_label_key = first(TEST_IMAGES), first(TEST_LABELS)
    if test_key is None or (label_key and not test_label_key):
        return RawImages(images, labels, class_names=class_names)
    test = grey_images(found[test_key], f"{path}, {test_key}")
    test_labels = np.zeros(len(test), np.int64)
    if test_label_key:
        test_labels = class_numbers(found[test_label_key], len(test), f"{path}, {test_label_key}")
    return RawImages(images, labels, test, test_labels, class_names)
