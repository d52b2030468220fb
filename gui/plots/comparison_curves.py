"""The same curve of several runs."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout

from gui.plots.chart import legend
from gui.plots.chart_box import ChartBox
from gui.plots.curve import series_colour
from gui.plots.training_curves import Rows, count_of


class ComparisonCurves(ChartBox):
    """Loss on bench and twin, and discrepancy, in one colour a run, against its steps of training."""

    def __init__(self, name: str = "comparison_curves") -> None:
        super().__init__(name)
        self.legend = QLabel()
        self.legend.setObjectName(f"{name}_legend")
        self.legend.setWordWrap(True)
        whole = self.layout()
        assert isinstance(whole, QVBoxLayout)
        whole.insertWidget(1, self.legend)
        self._names: list[str] = []
        self._charts = {
            "bench_mse": self.add_chart("Loss on the bench", "noise MSE of a batch", legend=False),
            "twin_mse": self.add_chart("Loss on the twin", "noise MSE of a batch", legend=False),
            "discrepancy": self.add_chart("Discrepancy", "D = 1 - C", legend=False),
        }

    def show_runs(self, runs: dict[str, Rows]) -> None:
        """Training columns of runs by the name that tells them apart."""
        self._names = list(runs)
        self._paint_legend()
        for column, chart in self._charts.items():
            chart.remove_curves()
            for place, (name, rows) in enumerate(runs.items()):
                curve = chart.add_curve(name, series_colour(place))
                curve.extend(rows.get(column, np.full(count_of(rows), np.nan)))
        self.fit()

    def paint(self) -> None:
        """Colours as the theme has them."""
        super().paint()
        if hasattr(self, "legend"):
            self._paint_legend()

    def _paint_legend(self) -> None:
        entries = [(name, series_colour(place)()) for place, name in enumerate(self._names)]
        self.legend.setText(" &nbsp;&nbsp; ".join(legend(entries)))
