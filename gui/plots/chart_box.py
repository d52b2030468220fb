"""A box of charts side by side or one above the other, with the tools for all of them in a line above."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyqtgraph as pg
import qtawesome as qta
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.plots.chart import Chart
from gui.plots.column import Floats
from gui.plots.export import (
    FILTERS,
    drawing_of,
    picture_of,
    table_of,
    write_export,
)
from gui.plots.log_axis import LogAxis
from gui.widgets.background import Background
from gui.widgets.dialogs import choose_new_file
from gui.widgets.plain_label import PlainLabel
from labdiff.errors import UserError

WIDTHS = (1, 3, 5, 11, 21, 51, 101, 201, 501, 1001)
"""Numbers of steps over which a mean can be taken."""


class ChartBox(QWidget):
    """Charts that share their steps, smoothing and scale.

    Args:
        name: Name of the widget.
        log: Axes are logarithmic at first.

    Attributes:
        reported: Emitted with a message when a file was saved.
        problem: Emitted with a message when an export has failed; it is shown here too.
    """

    reported = Signal(str)
    problem = Signal(str)

    def __init__(self, name: str, log: bool = True) -> None:
        super().__init__()
        self.setObjectName(name)
        self.charts: list[Chart] = []
        self.source, self.folder = "labdiff", Path.cwd()
        self._log = log
        self._background = Background(self)
        self.graphics = pg.GraphicsLayoutWidget()
        self.graphics.setObjectName(f"{name}_plots")
        self.tools = QHBoxLayout()
        self._build(name)
        QShortcut(
            QKeySequence(Qt.Key.Key_Home),
            self,
            self.fit,
            context=Qt.ShortcutContext.WidgetWithChildrenShortcut,
        )
        self.graphics.scene().sigMouseMoved.connect(self._on_mouse)
        self.graphics.scene().sigMouseClicked.connect(self._on_click)
        style.style.changed.connect(self.paint)
        self.paint()

    def _build(self, name: str) -> None:
        self.log_button = self._button(f"{name}_log", "Log", "Logarithmic or linear axis")
        self.log_button.setCheckable(True)
        self.log_button.setChecked(self._log)
        self.log_button.toggled.connect(self.set_log)
        self.fit_button = self._button(
            f"{name}_fit", "Fit", "Keep all in view while it grows; Home, or a double click"
        )
        self.fit_button.setCheckable(True)
        self.fit_button.setChecked(True)
        self.fit_button.clicked.connect(self.fit)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName(f"{name}_smoothing")
        self.smoothing.setRange(0, len(WIDTHS) - 1)
        self.smoothing.setPageStep(1)
        self.smoothing.setToolTip("Mean over neighbouring steps; each step stays visible, faint")
        self.smoothing.valueChanged.connect(self._on_smoothing)
        self.smoothing_label = PlainLabel()
        self.smoothing_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("1001 steps "))
        self.export_button = self._button(f"{name}_export", "Export", "Save values or a picture")
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export_button)
        for kind, text in FILTERS.items():
            action = menu.addAction(f"{text.partition(' (')[0]} ...", self._exporter(kind))
            action.setObjectName(f"{name}_export_{kind}")
        self.export_button.setMenu(menu)
        for widget in (self.log_button, self.fit_button, PlainLabel("Smoothing"), self.smoothing):
            self.tools.addWidget(widget)
        self.tools.addWidget(self.smoothing_label)
        self.tools.addStretch(1)
        self.tools.addWidget(self.export_button)
        self.read_out = PlainLabel()
        self.read_out.setObjectName(f"{name}_read_out")
        # However long its text is, it does not widen the window.
        self.read_out.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.read_out.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(4, 4, 4, 4)
        self.column.addLayout(self.tools)
        self.column.addWidget(self.graphics, 1)
        self.column.addWidget(self.read_out)
        self._on_smoothing(0)

    def _button(self, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setText(text)
        button.setToolTip(tip)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button

    def add_chart(
        self,
        title: str,
        unit: str,
        place: tuple[int, int] | None = None,
        log: bool = True,
        legend: bool = True,
        axis: str = "step",
    ) -> Chart:
        """Add a chart.

        Args:
            title: Title above it.
            unit: Label of its vertical axis.
            place: Its row and column; to the right of all others if None.
            log: Its axis follows the button.
            legend: It has a legend.
            axis: Name of its horizontal axis; charts of the same name share their steps.
        """
        row, column = place or (0, len(self.charts))
        plot = self.graphics.addPlot(
            row=row, col=column, enableMenu=False, axisItems={"left": LogAxis("left")}
        )
        chart = Chart(plot, title, unit, log and self._log, legend, axis)
        self.graphics.ci.layout.setColumnStretchFactor(column, 1)
        # All are equally wide; else what an axis or a title asks for would decide.
        self.graphics.ci.layout.setColumnPreferredWidth(column, 1)
        chart.smooth(WIDTHS[self.smoothing.value()])
        chart.zoomed.connect(partial(self._on_zoom, axis))
        sharing = self._sharing(axis)
        if row and sharing:
            sharing[-1].plot.getAxis("bottom").showLabel(False)
        if sharing:
            chart.plot.setXLink(sharing[0].plot)
        self.charts.append(chart)
        return chart

    def remove_charts(self) -> None:
        """Remove all charts."""
        self.graphics.clear()
        self.charts.clear()

    def name_source(self, name: str, folder: Path) -> None:
        """Set the name of what the curves belong to, and the folder that is proposed for exports."""
        self.source, self.folder = name, folder

    def redraw(self) -> None:
        """Draw what was added."""
        for chart in self.charts:
            chart.redraw()

    def clear(self) -> None:
        """Remove all values."""
        for chart in self.charts:
            chart.clear()
        self.fit_button.setChecked(True)

    def fit(self) -> None:
        """Bring everything into view, from now on."""
        self.fit_button.setChecked(True)
        for chart in self.charts:
            chart.fit()

    def set_log(self, log: bool) -> None:
        """Make the axes logarithmic or linear, where they follow the button."""
        self._log = log
        self.log_button.setChecked(log)
        for chart in self.charts:
            if chart.follows_log:
                chart.set_log(log)
        self.fit_button.setChecked(all(chart.fits for chart in self.charts))

    def settings(self) -> dict[str, int]:
        """Return what the user has chosen, to be stored."""
        return {"log": int(self._log), "smoothing": self.smoothing.value()}

    def restore(self, settings: dict[str, int]) -> None:
        """Restore what `settings` returned."""
        self.set_log(bool(settings.get("log", self._log)))
        self.smoothing.setValue(settings.get("smoothing", self.smoothing.value()))

    def columns(self) -> list[tuple[str, Floats]]:
        """Return all curves by name, as they are exported: each step, and its mean if there is one."""
        found = []
        for chart in self.charts:
            for curve in chart.curves:
                name = f"{chart.title}: {curve.name}, {chart.unit}"
                found.append((name, curve.values.values.copy()))
                if curve.shown is not curve.values:
                    mean_name = f"{name}, mean of {WIDTHS[self.smoothing.value()]} steps"
                    found.append((mean_name, curve.shown.values.copy()))
        return found

    def export(self, kind: str) -> None:
        """Ask for a file name, and write a file of a kind in `FILTERS`."""
        proposed = self.folder / f"{self.source}-{self.objectName().replace('_', '-')}.{kind}"
        title = f"Export as {kind.upper()}"
        choose_new_file(self, title, proposed, FILTERS[kind], partial(self._write, kind))

    def _write(self, kind: str, path: Path) -> None:
        self.folder = path.parent
        if kind == "csv":
            columns = self.columns()
            work = lambda: write_export(path, table_of(columns))  # noqa: E731
            self._background.start(work, lambda _: self._on_saved(path), self._on_failed)
            return
        # Drawn in this thread, to which widgets belong; it takes a tenth of a second.
        draw = picture_of if kind == "png" else drawing_of
        try:
            write_export(path, draw(self.graphics))
        except UserError as error:
            self._on_failed(str(error))
        else:
            self._on_saved(path)

    def paint(self) -> None:
        """Use the colours of the present theme."""
        chosen = style.theme()
        self.graphics.setBackground(chosen.panel)
        for button, icon in (
            (self.log_button, "mdi6.math-log"),
            (self.fit_button, "mdi6.fit-to-page-outline"),
            (self.export_button, "mdi6.export-variant"),
        ):
            button.setIcon(qta.icon(icon, color=chosen.text))
        for chart in self.charts:
            chart.paint()

    def _exporter(self, kind: str) -> Callable[[], None]:
        return lambda: self.export(kind)

    def _on_saved(self, path: Path) -> None:
        self.read_out.setText(f"saved: {path}")
        self.reported.emit(f"saved: {path}")

    def _on_failed(self, message: str) -> None:
        self.read_out.setText(message)
        self.problem.emit(message)

    def _on_smoothing(self, place: int) -> None:
        width = WIDTHS[place]
        self.smoothing_label.setText("off" if width == 1 else f"{width} steps")
        for chart in self.charts:
            chart.smooth(width)

    def _sharing(self, axis: str) -> list[Chart]:
        """Return the charts that share a horizontal axis."""
        return [chart for chart in self.charts if chart.axis == axis]

    def _on_zoom(self, axis: str) -> None:
        # Steps are shared: a chart that still fitted would pull the others back.
        for chart in self._sharing(axis):
            chart.fits = False
        self.fit_button.setChecked(False)

    def _on_click(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if event.double():
            self.fit()

    def _on_mouse(self, position: QPointF) -> None:
        step, axis = None, ""
        for chart in self.charts:
            view = chart.plot.getViewBox()
            if view.sceneBoundingRect().contains(position):
                place = round(view.mapSceneToView(position).x())
                step, axis = (place if 0 <= place < chart.steps else None), chart.axis
        for chart in self.charts:
            chart.point_at(step if chart.axis == axis else None)
        if step is None:
            self.read_out.setText("")
            return
        texts = [text for chart in self._sharing(axis) for text in chart.read(step)]
        self.read_out.setText(f"{axis} {step}:   " + "    ".join(texts))
