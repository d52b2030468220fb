"""Curves of the quantities of a training step, one chart for each pair of axes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy.typing as npt

from gui import style
from gui.plots.chart import Chart
from gui.plots.chart_box import ChartBox
from gui.plots.curve import Curve, series_colour
from labdiff.events import TrainingStep
from labdiff.runs.training_quantities import ChartAxes, TrainingQuantity, charts

Rows: TypeAlias = dict[str, npt.NDArray[Any]]
COLOURS: dict[str, Callable[[style.Theme], str]] = {
    "twin_mse": lambda theme: theme.twin,
    "bench_mse": lambda theme: theme.bench,
    "identity_mse": lambda theme: theme.baseline,
    "discrepancy": lambda theme: theme.discrepancy,
    "noise_floor": lambda theme: theme.floor,
    "frames_per_s": lambda theme: theme.bench,
    "duty": lambda theme: theme.good,
}
"""Colours of quantities that have a role in the theme; all others get one by their place in the chart."""


class QuantityCurves(ChartBox):
    """Shows quantities over training steps.

    Args:
        name: Name of the widget.
        pace: Show the quantities of the bench's pace instead of those of learning.
    """

    def __init__(self, name: str, pace: bool = False) -> None:
        super().__init__(name, log=not pace)
        self.log_button.setVisible(not pace)
        self.by_axes: dict[ChartAxes, Chart] = {}
        self._curves: dict[TrainingQuantity, Curve] = {}
        for axes, quantities in charts(pace).items():
            chart = self.by_axes[axes] = self.add_chart(axes.title, axes.axis, log=axes.log)
            chart.limits = axes.limits
            for place, quantity in enumerate(quantities):
                self._curves[quantity] = chart.add_curve(
                    quantity.label, quantity_colour(quantity.name, place)
                )

    @property
    def steps(self) -> int:
        """Number of steps."""
        return max(chart.steps for chart in self.charts)

    def add(self, step: TrainingStep) -> None:
        """Add a training step, to be drawn at the next `redraw`."""
        for quantity, curve in self._curves.items():
            curve.append(quantity.of_step(step))

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        training = columns.get("training", {})
        for quantity, curve in self._curves.items():
            curve.clear()
            curve.extend(quantity.of_columns(training))
        self.redraw()


def quantity_colour(name: str, place: int) -> Callable[[], str]:
    """Return the colour of a quantity, which is the place-th of its chart."""
    role = COLOURS.get(name)
    return series_colour(place) if role is None else partial(_colour_of, role)


def _colour_of(role: Callable[[style.Theme], str]) -> str:
    return role(style.theme())
