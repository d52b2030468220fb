"""Read a numpy array (.npy), as Quick, Draw! distributes its drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labdiff.data.readers.raw import RawImages, grey_images
from labdiff.errors import UserError


def read_npy(path: Path) -> RawImages:
    """Images of one class. Raises UserError."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: not a readable npy file: {error}") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path}: not a readable npy file: it is an archive; call it .npz")
    images = grey_images(array, str(path))
    return RawImages(images, np.zeros(len(images), np.int64))
