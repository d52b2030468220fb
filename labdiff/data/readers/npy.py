"""Read a numpy array (.npy), as Quick, Draw! distributes its drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labdiff.data.readers.arrays import SHAPES, grey_images
from labdiff.data.readers.npy_header import check_npy
from labdiff.data.readers.raw import RawImages, ReadOptions
from labdiff.errors import UserError, reading


def read_npy(path: Path, options: ReadOptions) -> RawImages:
    """Return the images of a .npy file, all of one class.

    Raises:
        UserError: names the file and what is allowed.
    """
    with reading(path, f"a numpy array (.npy) {SHAPES}"), path.open("rb") as file:
        if file.read(2) == b"PK":
            raise UserError(f"{path}: not a readable npy file: it is an archive; call it .npz")
        file.seek(0)
        check_npy(file, path.stat().st_size, str(path))
        array = np.asarray(np.load(file, allow_pickle=False))
    grey = grey_images(array, str(path), options.white, options.background)
    labels = np.zeros(len(grey.images), np.int64)
    return RawImages(grey.images, labels, white=grey.white, full_scale=grey.full_scale)
