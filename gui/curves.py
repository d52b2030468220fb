"""Loss and discrepancy against steps."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import style
from labdiff.events import TrainingStep


class Curves(QWidget):
    """Bench and twin MSE with the two baselines on the left, the discrepancy on the right."""

    def __init__(self) -> None:
        super().__init__()
        graphics = pg.GraphicsLayoutWidget()
        self._loss = self._plot(graphics, "Noise MSE of a batch", "MSE")
        self._twin = self._loss.plot(pen=pg.mkPen(style.theme().twin, width=1), name="twin")
        self._bench = self._loss.plot(pen=pg.mkPen(style.theme().bench, width=1), name="bench")
        self._discrepancy_plot = self._plot(graphics, "Discrepancy D = 1 - C", "D")
        self._discrepancy = self._discrepancy_plot.plot(
            pen=pg.mkPen(style.theme().discrepancy, width=1), name="camera against twin"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(graphics)
        self._lines: list[pg.InfiniteLine] = []
        self._steps: list[int] = []
        self._twin_mse: list[float] = []
        self._online_steps: list[int] = []
        self._bench_mse: list[float] = []
        self._d: list[float] = []

    def _plot(self, graphics: pg.GraphicsLayoutWidget, title: str, unit: str) -> pg.PlotItem:
        plot = graphics.addPlot(title=title)
        plot.setLabel("left", unit)
        plot.setLabel("bottom", "step")
        plot.setLogMode(y=True)
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.showGrid(x=False, y=True, alpha=0.2)
        plot.addLegend(offset=(-5, 5), labelTextColor=style.theme().text)
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        plot.setMenuEnabled(True)
        return plot

    def set_baselines(self, identity: float, wiener: float) -> None:
        """Lines of the two figures that a loss must be compared with."""
        import math

        for value, name, dash, place in (
            (identity, "identity", Qt.PenStyle.DotLine, 0.5),
            (wiener, "Wiener", Qt.PenStyle.DashLine, 0.8),
        ):
            pen = pg.mkPen(style.theme().baseline, width=1, style=dash)
            line = pg.InfiniteLine(
                math.log10(value), 0, pen, label=name, labelOpts={"position": place}
            )
            self._loss.addItem(line)
            self._lines.append(line)

    def clear(self) -> None:
        """Forget the last run, its baselines too."""
        for line in self._lines:
            self._loss.removeItem(line)
        self._lines.clear()
        for values in (self._steps, self._twin_mse, self._online_steps, self._bench_mse, self._d):
            values.clear()
        self.redraw()

    def add(self, step: TrainingStep) -> None:
        """Take one step; drawn at the next `redraw`."""
        number = len(self._steps)
        self._steps.append(number)
        self._twin_mse.append(max(step.twin_mse, 1e-9))
        if step.bench_mse is not None and step.discrepancy is not None:
            if self._online_steps and self._online_steps[-1] < number - 1:
                # Steps without light lie between: no line leads across them.
                for values in (self._bench_mse, self._d):
                    values.append(float("nan"))
                self._online_steps.append(number - 1)
            self._online_steps.append(number)
            self._bench_mse.append(max(step.bench_mse, 1e-9))
            self._d.append(max(step.discrepancy, 1e-9))

    def add_alignment(self, discrepancy: float) -> None:
        """One iteration of the alignment fit, on the discrepancy's curve."""
        self._online_steps.append(len(self._steps))
        self._bench_mse.append(float("nan"))
        self._d.append(max(discrepancy, 1e-9))
        self._steps.append(len(self._steps))
        self._twin_mse.append(float("nan"))

    def redraw(self) -> None:
        """Draw what was added."""
        self._twin.setData(self._steps, self._twin_mse, connect="finite")
        self._bench.setData(self._online_steps, self._bench_mse, connect="finite")
        self._discrepancy.setData(self._online_steps, self._d, connect="finite")
