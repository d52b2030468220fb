"""The curve of the alignment fit: the discrepancy over the steps of all fits of a run, on an own axis."""

from __future__ import annotations

import numpy as np

from gui import style
from gui.plots.chart_box import ChartBox
from gui.plots.quantity_curves import Rows
from labdiff.events import AlignmentStep
from labdiff.runs.training_quantities import DISCREPANCY

FIT_AXIS = "fit step"
"""Name of the axis of fits, whose steps are none of the training's."""


class FitCurves(ChartBox):
    """Shows how far camera and twin are apart while the twin is fitted; each fit is marked."""

    def __init__(self, name: str = "fit_curves") -> None:
        super().__init__(name)
        self.chart = self.add_chart("Alignment fit", DISCREPANCY.axis, axis=FIT_AXIS)
        self._curve = self.chart.add_curve("camera to twin", lambda: style.theme().discrepancy)
        self._fits = 0

    @property
    def steps(self) -> int:
        """Number of steps of all fits."""
        return self.chart.steps

    def add(self, step: AlignmentStep) -> None:
        """Add a step, to be drawn at the next `redraw`."""
        if step.step == 0:
            self._mark(self.steps)
        self._curve.append(step.discrepancy)

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        fit = columns.get("alignment", {})
        self.chart.remove_lines()
        self._curve.clear()
        self._fits = 0
        if "discrepancy" in fit:
            self._curve.extend(fit["discrepancy"])
            for row in np.flatnonzero(fit.get("step", np.empty(0)) == 0):
                self._mark(int(row))
        self.redraw()

    def clear(self) -> None:
        """Forget the last run."""
        super().clear()
        self._fits = 0

    def _mark(self, step: int) -> None:
        self._fits += 1
        self.chart.mark(step, f"fit {self._fits}")
