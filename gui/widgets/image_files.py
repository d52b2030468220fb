"""Grids of images as PNG and GIF files."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from gui.widgets.image_grid import Images, grey_levels

LEAST_SIDE_PX = 64
"""Least side of one image: its pixels become squares that can be seen."""
GAP_PX = 4
FRAME_MS, LAST_MS = 100, 2000
MOST_FRAMES = 200
PAPER = 255


def png_of(images: Images) -> bytes:
    """Return a PNG of images (B, H, W) in -1 ... 1 side by side."""
    buffer = io.BytesIO()
    Image.fromarray(sheet(images)).save(buffer, "PNG")
    return buffer.getvalue()


def gif_of(moments: list[Images]) -> bytes:
    """Return a GIF of the same, step after step, in a loop; the last step stays for two seconds."""
    places = np.linspace(0, len(moments) - 1, min(len(moments), MOST_FRAMES)).round().astype(int)
    frames = [Image.fromarray(sheet(moments[place])) for place in places]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[FRAME_MS] * (len(frames) - 1) + [LAST_MS],
        loop=0,
    )
    return buffer.getvalue()


def sheet(images: Images) -> npt.NDArray[np.uint8]:
    """Return grey levels of a grid that is about square, each pixel enlarged by a whole number."""
    count, height, width = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    scale = math.ceil(LEAST_SIDE_PX / max(height, width))
    step = (height * scale + GAP_PX, width * scale + GAP_PX)
    paper = np.full((rows * step[0] + GAP_PX, columns * step[1] + GAP_PX), PAPER, np.uint8)
    for number, levels in enumerate(grey_levels(images)):
        row, column = divmod(number, columns)
        top, left = GAP_PX + row * step[0], GAP_PX + column * step[1]
        large = np.kron(levels, np.ones((scale, scale), np.uint8))
        paper[top : top + large.shape[0], left : left + large.shape[1]] = large
    return paper
