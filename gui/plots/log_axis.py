"""A vertical axis whose labels stay apart when it is logarithmic."""

from __future__ import annotations

import pyqtgraph as pg

LABELLED = (1, 2, 5)
"""Leading digits that get a number; pyqtgraph writes all nine, one over the other."""


class LogAxis(pg.AxisItem):  # type: ignore[misc]
    """Like any other while it is linear."""

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str | None]:
        """Numbers beside 1, 2 and 5 of each decade; values: decimal logarithms."""
        words = super().logTickStrings(values, scale, spacing)
        leading = (round(10.0 ** (value % 1.0)) for value in values)
        return [
            word if digit in (*LABELLED, 10) else None
            for word, digit in zip(words, leading, strict=True)
        ]
