"""Curves of the alignment parameters, each with one deviation to either side; chosen from a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter

from gui import style
from gui.plots.chart_box import ChartBox
from gui.plots.curve import series_colour
from gui.plots.fit_curves import FIT_AXIS
from gui.plots.parameter_table import ParameterTable
from gui.plots.quantity_curves import Rows
from labdiff.events import AlignmentStep, TrainingStep
from twin.parameter_labels import recorded_label, recorded_unit
from twin.parameters import shown_names

STEP_AXIS = "step"
"""Axis of the training."""
NOT_PARAMETERS = {"time_s", *(field.name for field in fields(AlignmentStep))}
"""Columns of the table of the alignment fit that are no parameters."""


class AlignmentCurves(ChartBox):
    """Shows a row for each unit: over the steps of the alignment fit, and over those of the training."""

    def __init__(self, name: str = "alignment_curves") -> None:
        super().__init__(name, log=False)
        self.log_button.hide()
        self._tables = {FIT_AXIS: ParameterTable(), STEP_AXIS: ParameterTable()}
        self._shown_axes: tuple[str, ...] = ()
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
        self._add_new(step.alignment)
        training = isinstance(step, TrainingStep)
        deviation = step.deviation if isinstance(step, TrainingStep) else {}
        self._tables[STEP_AXIS if training else FIT_AXIS].add(step.alignment, deviation)
        self._stale = True

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        training, fit = columns.get("training", {}), columns.get("alignment", {})
        found = {name: column for name, column in fit.items() if name not in NOT_PARAMETERS}
        values, deviations = (
            {
                name.removeprefix(prefix): column
                for name, column in training.items()
                if name.startswith(prefix)
            }
            for prefix in ("alignment_", "deviation_")
        )
        self._add_new([*values, *found])
        self._tables[FIT_AXIS].fill(found, {})
        self._tables[STEP_AXIS].fill(values, deviations)
        self._rebuild()

    def clear(self) -> None:
        """Forget the last run; the choice of parameters stays."""
        self._forget()
        self._rebuild()
        super().clear()

    def redraw(self) -> None:
        """Draw what was added."""
        if self._stale:
            if self._axes() != self._shown_axes:
                self._rebuild()
            self._fill()
        super().redraw()

    def _forget(self) -> None:
        for table in self._tables.values():
            table.forget()

    def _axes(self) -> tuple[str, ...]:
        """Return the axes that have steps; that of the training if none has any."""
        return tuple(axis for axis, table in self._tables.items() if table.steps) or (STEP_AXIS,)

    def _add_new(self, names: Iterable[str]) -> None:
        """Add new parameters to the list."""
        known = {
            str(self.list.item(row).data(Qt.ItemDataRole.UserRole))
            for row in range(self.list.count())
        }
        new = [name for name in dict.fromkeys(names) if name not in known]
        shown_first = {recorded for _, recorded in shown_names()}
        self.list.blockSignals(True)
        for name in new:
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
        self._shown_axes = self._axes()
        units = list(dict.fromkeys(recorded_unit(name) for name in self.chosen))
        for row, unit in enumerate(units):
            for column, axis in enumerate(self._shown_axes):
                title = axis.capitalize() if len(self._shown_axes) > 1 and not row else ""
                chart = self.add_chart(title, unit, (row, column), log=False, axis=axis)
                for place, name in enumerate(self.chosen):
                    if recorded_unit(name) == unit:
                        chart.add_curve(recorded_label(name), series_colour(place), spread=True)
        self._fill()
        self._paint_list()
        self.fit_button.setChecked(True)
        super().redraw()

    def _fill(self) -> None:
        """Add to the curves the steps that they lack."""
        self._stale = False
        names = {recorded_label(name): name for name in self.chosen}
        for chart in self.charts:
            for curve in chart.curves:
                self._tables[chart.axis].extend(curve, names[curve.name])

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
