"""Curves of several runs in the same charts."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel

from gui import style
from gui.plots.chart import legend
from gui.plots.chart_box import ChartBox
from gui.plots.curve import series_colour
from gui.plots.quantity_curves import Rows
from labdiff.runs.training_quantities import TRAINING_QUANTITIES, is_scaled


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
        self._names = [
            name if is_scaled(rows) or not rows else f"{name} (no Wiener error recorded: no loss)"
            for name, rows in runs.items()
        ]
        self._paint_legend()
        for quantity, chart in self._charts.items():
            chart.remove_curves()
            chart.remove_lines()
            if quantity.over:
                chart.set_level("Wiener", 1.0, dashed=True)
            for place, (name, rows) in enumerate(runs.items()):
                curve = chart.add_curve(name, series_colour(place))
                values = quantity.of_columns(rows)
                # Plain errors of other timesteps are not compared with multiples of Wiener's.
                comparable = not quantity.over or is_scaled(rows)
                curve.extend(values if comparable else np.full(len(values), np.nan))
        self.fit()

    def _paint_legend(self) -> None:
        entries = [(name, series_colour(place)()) for place, name in enumerate(self._names)]
        self.legend.setText(" &nbsp;&nbsp; ".join(legend(entries)))
