"""Write a picture of many images, side by side."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError

CELL_PX = 64
"""Approximate side of an image on the sheet."""
COLUMNS = 12
"""Number of images in a row."""
ROWS_OF_ONE_CLASS = 8
"""Number of rows if all images are of one class."""
GAP_PX = 4
"""Distance between images."""


def write_contact_sheet(images: Tensor, labels: Tensor, path: Path) -> Path:
    """Write a PNG of images: a row for each class, or eight rows of the only one; return its path.

    Args:
        images: (count, H, W) in -1 ... 1.
        labels: class numbers, (count,).
        path: the file.

    Raises:
        UserError: the file cannot be written.
    """
    rows = [images[labels == label][:COLUMNS] for label in torch.unique(labels)]
    if len(rows) == 1:
        rows = [images[n * COLUMNS :][:COLUMNS] for n in range(ROWS_OF_ONE_CLASS)]
    magnified = max(1, round(CELL_PX / images.shape[-1]))
    side = images.shape[-1] * magnified
    pitch = side + GAP_PX
    sheet = np.full((len(rows) * pitch + GAP_PX, COLUMNS * pitch + GAP_PX), 96, np.uint8)
    for row, members in enumerate(rows):
        levels = ((members.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
        for column, picture in enumerate(levels):
            top, left = GAP_PX + row * pitch, GAP_PX + column * pitch
            enlarged = picture.repeat(magnified, 0).repeat(magnified, 1)
            sheet[top : top + side, left : left + side] = enlarged
    picture = io.BytesIO()
    Image.fromarray(sheet).save(picture, "png")
    try:
        write_atomically(path, picture.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path
