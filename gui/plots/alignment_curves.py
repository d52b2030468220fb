"""Curves of the alignment parameters, each with one deviation to either side; chosen from a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter

from gui import style
from gui.plots.chart import Chart
from gui.plots.chart_box import ChartBox
from gui.plots.column import Column, Floats
from gui.plots.curve import series_colour
from gui.plots.quantity_curves import Rows
from gui.plots.training_curves import in_turn
from labdiff.events import AlignmentStep, TrainingStep
from twin.parameters import recorded_label, recorded_unit, shown_names

NOT_PARAMETERS = {"time_s", *(field.name for field in fields(AlignmentStep))}
"""Columns of the table of the alignment fit that are no parameters."""


class AlignmentCurves(ChartBox):
    """Shows one chart for each unit, one below the other."""

    def __init__(self, name: str = "alignment_curves") -> None:
        super().__init__(name, log=False)
        self.log_button.hide()
        self._values: dict[str, Column] = {}
        self._deviations: dict[str, Column] = {}
        self._steps = 0
        self._stale = False
        self.list = QListWidget()
        self.list.setObjectName(f"{name}_list")
        self.list.setToolTip("Parameters to show; the space bar turns one on or off")
        self.list.itemChanged.connect(self._rebuild)
        split = QSplitter()
        split.setObjectName(f"{name}_split")
        self.column.replaceWidget(self.graphics, split)
        split.addWidget(self.graphics)
        split.addWidget(self.list)
        split.setStretchFactor(0, 1)
        style.style.changed.connect(self._paint_list)

    @property
    def chosen(self) -> list[str]:
        """Names of the parameters shown."""
        items = [self.list.item(row) for row in range(self.list.count())]
        on = Qt.CheckState.Checked
        return [str(i.data(Qt.ItemDataRole.UserRole)) for i in items if i.checkState() == on]

    def choose(self, names: list[str]) -> None:
        """Show the parameters of these names, as far as they are in the list."""
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            on = item.data(Qt.ItemDataRole.UserRole) in names
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self._rebuild()

    def add(self, step: TrainingStep | AlignmentStep) -> None:
        """Add a step, to be drawn at the next `redraw`."""
        deviation = step.deviation if isinstance(step, TrainingStep) else {}
        self._add_new(step.alignment)
        for name, column in self._values.items():
            column.append(step.alignment.get(name, np.nan))
            self._deviations[name].append(deviation.get(name, np.nan))
        self._steps += 1
        self._stale = True

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        training, alignment = columns.get("training", {}), columns.get("alignment", {})
        among, between = in_turn(training, alignment)
        self._forget()
        names = [n.removeprefix("alignment_") for n in training if n.startswith("alignment_")]
        names += [n for n in alignment if n not in NOT_PARAMETERS and n not in names]
        self._add_new(names)
        for name in names:
            values: Floats = np.full(len(among) + len(between), np.nan)
            deviations = values.copy()
            for target, rows, column, places in (
                (values, training, f"alignment_{name}", among),
                (deviations, training, f"deviation_{name}", among),
                (values, alignment, name, between),
            ):
                if column in rows:
                    target[places] = rows[column]
            self._values[name].extend(values)
            self._deviations[name].extend(deviations)
        self._steps = len(among) + len(between)
        self._rebuild()

    def clear(self) -> None:
        """Forget the last run; the choice of parameters stays."""
        self._forget()
        self._rebuild()
        super().clear()

    def redraw(self) -> None:
        """Draw what was added."""
        if self._stale:
            self._fill()
        super().redraw()

    def _forget(self) -> None:
        for column in (*self._values.values(), *self._deviations.values()):
            column.cut(0)
        self._steps = 0

    def _add_new(self, names: Iterable[str]) -> None:
        """Add new parameters to the list, with no values at the steps before."""
        new = [name for name in names if name not in self._values]
        shown_first = {recorded for _, recorded in shown_names()}
        self.list.blockSignals(True)
        for name in new:
            self._values[name], self._deviations[name] = Column(), Column()
            self._values[name].extend(np.full(self._steps, np.nan))
            self._deviations[name].extend(np.full(self._steps, np.nan))
            item = QListWidgetItem(_entry(name))
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            first = name in shown_first
            item.setCheckState(Qt.CheckState.Checked if first else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        if new:
            bar = self.list.verticalScrollBar().sizeHint().width()
            self.list.setMinimumWidth(self.list.sizeHintForColumn(0) + 2 * bar)
            self._rebuild()

    def _rebuild(self) -> None:
        """Make the charts of the chosen parameters."""
        self.remove_charts()
        charts: dict[str, Chart] = {}
        for place, name in enumerate(self.chosen):
            unit = recorded_unit(name)
            if unit not in charts:
                charts[unit] = self.add_chart("", unit, below=True, log=False)
            charts[unit].add_curve(recorded_label(name), series_colour(place), spread=True)
        self._fill()
        self._paint_list()
        self.fit_button.setChecked(True)
        super().redraw()

    def _fill(self) -> None:
        """Add to the curves the steps that they lack."""
        self._stale = False
        curves = {curve.name: curve for chart in self.charts for curve in chart.curves}
        for name in self.chosen:
            curve = curves[recorded_label(name)]
            known = len(curve.values)
            curve.extend(self._values[name].values[known:], self._deviations[name].values[known:])

    def _paint_list(self) -> None:
        chosen = self.chosen
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            name = str(item.data(Qt.ItemDataRole.UserRole))
            item.setIcon(
                _swatch(series_colour(chosen.index(name))()) if name in chosen else QIcon()
            )
        self.list.blockSignals(False)


def _entry(name: str) -> str:
    """Return the text of a parameter in the list: its label, and its unit if it has one."""
    return ", ".join(filter(None, (recorded_label(name), recorded_unit(name))))


def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
