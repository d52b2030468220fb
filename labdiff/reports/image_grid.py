"""A figure of images side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

COLUMNS = 8
"""Most images in a row."""


def image_grid(images: npt.NDArray[np.float32], title: str = "") -> Figure:
    """Return a figure with a grid of images (count, H, W) in -1 ... 1."""
    columns = max(min(len(images), COLUMNS), 1)
    rows = max(-(-len(images) // columns), 1)
    figure = Figure(figsize=(max(columns, 5), rows + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    for ax, picture in zip(
        figure.subplots(rows, columns, squeeze=False).ravel(), images, strict=False
    ):
        ax.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    for ax in figure.axes:
        ax.set_axis_off()
    return figure
