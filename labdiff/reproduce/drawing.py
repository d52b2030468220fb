"""Drawing functions that several figures use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogFormatter
from torch import Tensor


class _Plain(LogFormatter):
    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def plain_logarithmic(*axes: Axis) -> None:
    """Label logarithmic axes with numbers such as 0.05 and 60, not with powers of ten."""
    for axis in axes:
        axis.set_major_formatter(_Plain())
        axis.set_minor_formatter(_Plain())


def show_image(ax: Axes, image: Tensor) -> None:
    """Draw a grey image (H, W) in -1 ... 1, pixels as squares."""
    ax.imshow(image.numpy(), cmap="gray", vmin=-1.0, vmax=1.0, interpolation="nearest")
    hide_axes(ax)


def hide_axes(ax: Axes) -> None:
    """Hide ticks and frame; a label beside them stays."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def mosaic(images: Tensor, rows: int, columns: int, gap: int = 1, vertical: bool = False) -> Tensor:
    """Return the first rows x columns images as one, with white lines between them.

    Args:
        images: (count, H, W).
        rows: number of rows.
        columns: number of columns.
        gap: width of the lines, pixels.
        vertical: whether images are placed column by column.
    """
    _, height, width = images.shape
    tiles = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap), np.float32)
    for index, image in enumerate(images[: rows * columns].numpy()):
        row, column = (index % rows, index // rows) if vertical else divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        tiles[top : top + height, left : left + width] = image
    return torch.from_numpy(tiles)


def even_indices(count: int, wanted: int) -> Sequence[int]:
    """Choose `wanted` of the indices 0 ... count - 1, evenly spread, with the first and the last."""
    found: list[int] = np.unique(np.linspace(0, count - 1, wanted).round().astype(int)).tolist()
    return found
