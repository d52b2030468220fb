"""What several of the figures draw."""

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
    """Numbers as 0.05 and 60, not as powers of ten, where the axis is logarithmic."""
    for axis in axes:
        axis.set_major_formatter(_Plain())
        axis.set_minor_formatter(_Plain())


def show_image(ax: Axes, image: Tensor) -> None:
    """A grey image (H, W) in -1 ... 1, pixels as squares."""
    ax.imshow(image.numpy(), cmap="gray", vmin=-1.0, vmax=1.0, interpolation="nearest")
    bare(ax)


def bare(ax: Axes) -> None:
    """No ticks, no frame; a label beside it stays."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def mosaic(images: Tensor, rows: int, columns: int, gap: int = 1, vertical: bool = False) -> Tensor:
    """The first rows x columns images (count, H, W) as one, white lines of `gap` pixels between them.

    vertical: column by column.
    """
    _, height, width = images.shape
    tiles = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap), np.float32)
    for index, image in enumerate(images[: rows * columns].numpy()):
        row, column = (index % rows, index // rows) if vertical else divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        tiles[top : top + height, left : left + width] = image
    return torch.from_numpy(tiles)


def even(count: int, wanted: int) -> Sequence[int]:
    """`wanted` of the indices 0 ... count - 1, evenly spread, first and last among them."""
    found: list[int] = np.unique(np.linspace(0, count - 1, wanted).round().astype(int)).tolist()
    return found
