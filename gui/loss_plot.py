"""Curves: noise MSE of bench and twin with their baselines, and the discrepancy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGroupBox, QVBoxLayout

from gui import style
from labdiff.events import TrainingStep


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """On a logarithmic scale, labels 1, 2 and 5 of each decade alone; no powers, no prefixes."""

    def logTickStrings(  # Qt-style name: pyqtgraph calls it
        self, values: list[float], scale: float, spacing: float
    ) -> list[str]:
        """Labels of ticks at log10 of the values."""
        texts = [f"{10.0**value:.1g}" for value in values]
        return [text if text.rstrip("0")[-1:] in "125." else "" for text in texts]


class LossPlot(QGroupBox):
    """Noise MSE (sd², no unit) above, discrepancy D = 1 - C below, against the update's number."""

    def __init__(self) -> None:
        super().__init__("Learning")
        self.data: dict[str, tuple[list[int], list[float]]] = {}
        self.curves: dict[str, pg.PlotDataItem] = {}
        self.lines: dict[str, tuple[pg.InfiniteLine, float]] = {}
        self._updates = 0
        self.log = QCheckBox("logarithmic")
        self.log.setChecked(True)
        self.log.toggled.connect(self._scale)
        self.loss = pg.PlotWidget(axisItems={"left": ValueAxis("left")})
        self.gap = pg.PlotWidget(axisItems={"left": ValueAxis("left")})
        self.loss.setLabel("left", "noise MSE (sd²)")
        self.gap.setLabel("left", "discrepancy D (1)")
        self.gap.setLabel("bottom", "update (count)")
        self.gap.setXLink(self.loss)
        self.loss.addLegend(offset=(-8, 4), labelTextSize="8pt")
        for plot in (self.loss, self.gap):
            plot.showGrid(x=True, y=True, alpha=0.15)
            plot.getAxis("left").setWidth(60)
            for side in ("left", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
        for plot, name, colour in (
            (self.loss, "bench", style.BENCH),
            (self.loss, "twin", style.TWIN),
            (self.gap, "discrepancy", style.BENCH),
        ):
            curve = plot.plot(pen=pg.mkPen(colour, width=1), name=name)
            curve.setClipToView(True)
            curve.setDownsampling(auto=True, method="peak")
            self.curves[name], self.data[name] = curve, ([], [])
        layout = QVBoxLayout(self)
        layout.addWidget(self.log)
        layout.addWidget(self.loss, 3)
        layout.addWidget(self.gap, 2)
        self._scale(True)

    def clear(self) -> None:
        """Forget the last run."""
        self._updates = 0
        for name in self.data:
            self.data[name] = ([], [])
            self.curves[name].setData([], [])
        for line, _ in self.lines.values():
            self.loss.removeItem(line)
        self.lines.clear()

    def add(self, step: TrainingStep) -> None:
        """Take one update; `draw` shows it."""
        self._updates += 1
        values = {"twin": step.twin_mse, "bench": step.bench_mse, "discrepancy": step.discrepancy}
        for name, value in values.items():
            if value is not None:
                self.data[name][0].append(self._updates)
                self.data[name][1].append(value)

    def draw(self) -> None:
        """Show what was added."""
        for name, (x, y) in self.data.items():
            self.curves[name].setData(x, y)

    def baselines(self, figures: Mapping[str, float]) -> None:
        """Draw mse_identity and mse_wiener as lines, where `figures` has them."""
        for name, colour in (("identity", style.IDENTITY), ("wiener", style.WIENER)):
            value = figures.get(f"mse_{name}")
            if value is None or name in self.lines:
                continue
            line = pg.InfiniteLine(
                angle=0,
                pen=pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine),
                label=f"{name} {value:.3g}",
                labelOpts={"position": 0.6, "color": colour},
            )
            self.lines[name] = (line, value)
            self.loss.addItem(line)
        self._scale(self.log.isChecked())

    def _scale(self, log: bool) -> None:
        self.loss.setLogMode(y=log)
        self.gap.setLogMode(y=log)
        for line, value in self.lines.values():
            line.setPos(math.log10(max(value, 1e-12)) if log else value)
