"""Curves of several runs in the same charts."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel

from gui import style
from gui.plots.chart import legend
from gui.plots.chart_box import ChartBox
from gui.plots.curve import series_colour
from gui.plots.quantity_curves import Rows, count_of
from labdiff.runs.training_quantities import TRAINING_QUANTITIES


class ComparisonCurves(ChartBox):
    """Shows each quantity of learning in a chart of its own, in one colour for each run."""

    def __init__(self, name: str = "comparison_curves") -> None:
        super().__init__(name)
        self.legend = QLabel()
        self.legend.setObjectName(f"{name}_legend")
        self.legend.setWordWrap(True)
        self.column.insertWidget(1, self.legend)
        self._names: list[str] = []
        compared = [q for q in TRAINING_QUANTITIES if not q.pace and not q.reference]
        self._charts = {
            quantity: self.add_chart(
                f"{quantity.chart.title}, {quantity.label}", quantity.chart.axis, legend=False
            )
            for quantity in compared
        }
        style.style.changed.connect(self._paint_legend)

    def show_runs(self, runs: dict[str, Rows]) -> None:
        """Show the training columns of runs by name."""
        self._names = list(runs)
        self._paint_legend()
        for quantity, chart in self._charts.items():
            chart.remove_curves()
            for place, (name, rows) in enumerate(runs.items()):
                curve = chart.add_curve(name, series_colour(place))
                unknown = np.full(count_of(rows), np.nan)
                curve.extend(quantity.factor * rows.get(quantity.name, unknown))
        self.fit()

    def _paint_legend(self) -> None:
        entries = [(name, series_colour(place)()) for place, name in enumerate(self._names)]
        self.legend.setText(" &nbsp;&nbsp; ".join(legend(entries)))
