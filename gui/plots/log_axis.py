"""A vertical axis whose labels can be read when it is logarithmic, over decades and over a part of one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg

LABELLED = (1, 2, 5, 10)
"""Leading digits that get a label; pyqtgraph writes all nine, one over the other."""
NARROW = 0.7
"""Range in decades below which even steps are labelled: of 1, 2 and 5 there would be one, or none."""
WIDE = 3.0
"""Range in decades above which only whole decades are labelled."""
MOST_STEPS = 5


class LogAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with labels of its own while it is logarithmic, where values are decimal logarithms."""

    def logTickValues(
        self, minVal: float, maxVal: float, size: float, stdTicks: Any
    ) -> list[tuple[float | None, Any]]:
        """Return even steps within a part of a decade, else pyqtgraph's."""
        if maxVal - minVal >= NARROW:
            found: list[tuple[float | None, Any]] = super().logTickValues(
                minVal, maxVal, size, stdTicks
            )
            return found
        return [(None, np.log10(even_steps(10.0**minVal, 10.0**maxVal)))]

    def logTickStrings(
        self, values: list[float], scale: float, spacing: float | None
    ) -> list[str | None]:
        """Return labels, where there are many beside some digits only."""
        low, high = self.range
        if high - low < NARROW:
            return [f"{10.0**value * scale:.3g}" for value in values]
        texts = super().logTickStrings(values, scale, spacing)
        labelled = LABELLED if high - low < WIDE else (1, 10)
        leading = (round(10.0 ** (value % 1.0)) for value in values)
        return [
            text if digit in labelled else None for text, digit in zip(texts, leading, strict=True)
        ]


def even_steps(low: float, high: float) -> list[float]:
    """Return round numbers between two, with MOST_STEPS steps at most."""
    least = (high - low) / MOST_STEPS
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(decade * digit for digit in LABELLED if decade * digit >= least * (1.0 - 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [step * number for number in range(first, last + 1)]
