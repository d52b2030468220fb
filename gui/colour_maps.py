"""The colour maps of pictures: one for phases, one for intensities, one for differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import pyqtgraph as pg

from gui import style

ColourMap: TypeAlias = Callable[[], pg.ColorMap]
"""A function that returns the map in the present theme."""
CYCLIC = "CET-C3"
"""White, red, black, blue and back to white: equal steps of phase look equal (Kovesi 2015)."""
INTENSITY = "inferno"
LEVELS = 256


@cache
def phase_map() -> pg.ColorMap:
    """Return the cyclic map of phases: 0 and 2 pi are black, so that a flat pattern does not glare."""
    table = pg.colormap.get(CYCLIC).getLookupTable(nPts=LEVELS + 1)
    rolled = np.roll(table[:-1], LEVELS // 2, axis=0)
    return pg.ColorMap(np.linspace(0.0, 1.0, LEVELS + 1), np.concatenate([rolled, rolled[:1]]))


def intensity_map() -> pg.ColorMap:
    """Return the map of intensities."""
    return pg.colormap.get(INTENSITY)


def difference_map() -> pg.ColorMap:
    """Return the map of what is positive or negative: 0 has the colour of the theme's ground."""
    return pg.colormap.get("CET-D4" if style.theme() is style.DARK else "CET-D1")
