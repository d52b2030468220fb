"""The page of a picture: what stands where, in which colours and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

Array = npt.NDArray[Any]

SHARP = 2
"""The file has so many pixels a unit of the layout."""
CELL, GAP, EDGE = 160, 18, 16
TITLE, NOTE = 34, 18
BELOW = TITLE + CELL + 10
"""A difference begins so far below the top of its band."""
BAND = BELOW + CELL + NOTE + 14
WIDTH = 2 * EDGE + 4 * CELL + 3 * GAP
"""A sheet is as wide as four cells side by side."""
SMALL = 80
"""In a cell of this size one unit is one pixel of the camera, two pixels of the file."""
INK, QUIET, LINE = "#1c2330", "#5b6678", "#c4cbd7"
BLUE, ORANGE, GREY = "#2468b0", "#d9641a", "#9aa3b2"
LIGHT = colormaps["inferno"].resampled(40)
CHANGE = colormaps["RdBu_r"].resampled(25)
MAP = colormaps["PuOr"].resampled(25)
TURNS = colormaps["twilight_shifted"].resampled(30)
PHASE = "phase, $\\pi$ rad"
STYLE = {
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.5,
}


class Sheet:
    """A page on which everything has its place in units from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._figure = Figure((width / 100, height / 100), dpi=100 * SHARP, facecolor="white")

    def place(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes with these edges."""
        low = self.height - top - height
        shares = (left / self.width, low / self.height, width / self.width, height / self.height)
        return self._figure.add_axes(shares)

    def write(self, left: float, top: float, text: str, **style: Any) -> None:
        """Write a text whose upper left corner is there."""
        style = {"va": "top", **style}
        self._figure.text(left / self.width, 1.0 - top / self.height, text, **style)

    def head(self, left: float, top: float, title: str, note: str = "") -> None:
        """Write a title and the note below it; a long title is smaller."""
        size = min(8.0, 8.0 * 25 / len(title))
        self.write(left, top, title, weight="bold", fontsize=size)
        self.write(left, top + 14, note, color=QUIET, fontsize=7.5)

    def picture(
        self,
        left: float,
        top: float,
        image: Array,
        limits: tuple[float, float],
        colours: Any = LIGHT,
        size: float = CELL,
    ) -> None:
        """Paint a square image, pixel by pixel."""
        axes = self.place(left, top, size, size)
        low, high = limits
        axes.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_axis_off()

    def scale(self, left: float, top: float, colours: Any, labels: Sequence[str]) -> None:
        """Paint a bar of colours, as wide as a cell, with labels under its ends and its middle."""
        bar = self.place(left, top, CELL, 9)
        bar.imshow(np.linspace(0.0, 1.0, 200)[None], cmap=colours, aspect="auto")
        bar.set_axis_off()
        aligned = ("left", "right") if len(labels) == 2 else ("left", "center", "right")
        for label, ha in zip(labels, aligned, strict=True):
            x = {"left": left, "center": left + CELL / 2, "right": left + CELL}[ha]
            self.write(x, top + 12, label, ha=ha, color=QUIET, fontsize=7.5)

    def save(self, path: Path) -> None:
        """Write the file, with a palette of 256 colours."""
        canvas = FigureCanvasAgg(self._figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
        page = Image.fromarray(np.ascontiguousarray(pixels))
        page = page.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        page.save(path, optimize=True)


def plot(sheet: Sheet, left: float, top: float, size: tuple[float, float], title: str) -> Axes:
    """Return axes with a title above, in a box of that size."""
    sheet.write(left, top, title, weight="bold", fontsize=8)
    return sheet.place(left + 36, top + 20, size[0] - 40, size[1] - 58)
