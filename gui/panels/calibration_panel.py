"""The calibrations: which of them are valid, what is being measured, and the results."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pyqtgraph as pg
import qtawesome as qta
from PySide6.QtCore import Qt, QThreadPool, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from calibration.archive import CalibrationArchive, StoredVerdict
from calibration.result import CalibrationError, Verdict
from calibration.result_file import Result
from calibration.step import CalibrationStep
from gui import style
from gui.colour_maps import intensity_map
from gui.image_view import CAMERA_UNIT, ImageView, Picture
from gui.panels.calibration_figures import FigureTask
from gui.plots.log_axis import LogAxis
from gui.time_left import ago, time_left
from gui.widgets.job_bar import JobBar
from gui.widgets.plain_label import PlainLabel
from labdiff.calibrations.names import ROUTINE_TITLES
from labdiff.events import AlignmentStep

OWN = "a routine of a script"
"""What is said of a routine that is none of labdiff's."""
NO_BENCH = "Connect a bench first."
NO_RESULT = "Select a routine to see its result."
COLUMNS = ("Routine", "State", "Measured", "Result")
STATE_ROLES = {
    "fresh": "good",
    "pass": "good",
    "stale": "warn",
    "warn": "warn",
    "never": "quiet",
    "left out": "quiet",
    "failed": "bad",
    "fail": "bad",
    "measuring": "accent",
}


class CalibrationPanel(QWidget):
    """Starts calibrations and shows their state.

    Attributes:
        check_wanted: Emitted when the stored calibrations are to be checked.
        stale_wanted: Emitted when those that are not valid any more are to be measured.
        all_wanted: Emitted when all are to be measured.
        chosen_wanted: Emitted with the names of the routines to measure.
        stop_wanted: Emitted when the job is to be stopped.
    """

    check_wanted = Signal()
    stale_wanted = Signal()
    all_wanted = Signal()
    chosen_wanted = Signal(tuple)
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("calibration_panel")
        self._folder: Path | None = None
        self._patch_shape = (1, 1)
        self._titles = dict(ROUTINE_TITLES)
        self._states = dict.fromkeys(ROUTINE_TITLES, "never")
        self._stage_s = time.monotonic()
        self._drawing = 0
        self._connected = False
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setObjectName("calibrations")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.verticalHeader().hide()
        rows = QHeaderView.ResizeMode.ResizeToContents
        self.table.verticalHeader().setSectionResizeMode(rows)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(True)
        header = self.table.horizontalHeader()
        for column in range(3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        for name, title in ROUTINE_TITLES.items():
            self._add_row(name, title)
        self.table.itemSelectionChanged.connect(self._selected)

        self.buttons: dict[str, QPushButton] = {}
        top = QFlowLayout()  # of two lines where there is little room
        for key, text, hint, signal in (
            ("check", "Check", "A dozen frames: are the stored calibrations still valid?",
             self.check_wanted),
            ("stale", "Update outdated", "Check, then measure what is not valid any more",
             self.stale_wanted),
            ("all", "Measure all", "Measure every routine anew, without a check", self.all_wanted),
            ("chosen", "Measure selected", "Measure the selected routines only", None),
            ("stop", "Stop", "What was measured so far is stored", self.stop_wanted),
        ):  # fmt: skip
            button = QPushButton(text)
            button.setObjectName(f"calibrate_{key}")
            button.setToolTip(hint)
            button.clicked.connect(self._choose if signal is None else signal)
            self.buttons[key] = button
            top.addWidget(button)
        self.report = QPushButton("Report")
        self.report.setObjectName("calibration_report")
        self.report.setToolTip("All calibrations with their history, in the browser")
        self.report.clicked.connect(self._open_report)
        top.addWidget(self.report)
        self.progress = JobBar()
        self.message = PlainLabel(NO_BENCH)
        self.message.setWordWrap(True)

        self.frame = ImageView("Frame", "counts", intensity_map)
        self.curve = pg.PlotWidget(enableMenu=False, axisItems={"left": LogAxis("left")})
        self.curve.setLabel("left", "mismatch (1 - correlation)")
        self.curve.setLabel("bottom", "fit step")
        self.curve.setLogMode(y=True)
        self.curve.getAxis("left").enableAutoSIPrefix(False)
        self._fit = self.curve.plot(symbol="o", symbolSize=4)
        self._discrepancies: list[float] = []
        live = QWidget()
        both = QHBoxLayout(live)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(self.frame, 1)
        both.addWidget(self.curve, 1)
        self.result = PlainLabel(NO_RESULT)
        self.result.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.result.setWordWrap(True)
        self.history = PlainLabel()
        self.history.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.details = QTabWidget()
        self.details.addTab(live, "Live")
        for label, title in ((self.result, "Result"), (self.history, "History")):
            scroll = QScrollArea()
            scroll.setWidget(label)
            scroll.setWidgetResizable(True)
            self.details.addTab(scroll, title)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.details)
        split.setSizes([300, 320])
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.progress)
        layout.addWidget(self.message)
        layout.addWidget(split, 1)
        style.style.changed.connect(self._paint)
        self._paint()
        self.set_ready(connected=False, busy=False)

    def set_archive(
        self, folder: Path, patch_shape: tuple[int, int], checked: bool = False
    ) -> None:
        """Show the calibrations that are stored for this bench.

        Args:
            folder: The archive.
            patch_shape: (height, width) of a patch, px.
            checked: States that a check or a measurement has just found stay.
        """
        self._folder, self._patch_shape = folder, patch_shape
        archive = CalibrationArchive(folder)
        self._show_own(archive.newest_of_others(ROUTINE_TITLES), checked)
        for name in ROUTINE_TITLES:
            try:
                newest = archive.newest_verdict(name)
            except CalibrationError as error:
                self._set_row(name, "failed", "", str(error))
                continue
            if newest is None:
                self._set_row(name, "never", "", ROUTINE_TITLES[name])
                continue
            self._show_stored(name, newest.verdict, newest.provenance.taken_utc, checked)

    def set_ready(self, connected: bool, busy: bool, calibrating: bool = False) -> None:
        """Enable what can be asked for now.

        Args:
            connected: A bench is open.
            busy: A job uses it.
            calibrating: The job is a calibration.
        """
        for key, button in self.buttons.items():
            button.setEnabled(calibrating if key == "stop" else connected and not busy)
        self.report.setEnabled(self._folder is not None)
        if connected != self._connected:
            self._connected = connected
            self.message.setText(
                "Check shows what is still valid; Update outdated measures the rest."
                if connected
                else NO_BENCH
            )

    def reset(self) -> None:
        """Forget the calibrations of the last bench, and what was being measured."""
        self._folder = None
        self._drawing += 1  # a figure that is being drawn is the old bench's
        for name in [name for name in self._titles if name not in ROUTINE_TITLES]:
            self._remove_row(name)
        for name, title in ROUTINE_TITLES.items():
            self._set_row(name, "never", "", title)
        self.table.clearSelection()
        self.begin()
        self.result.setText(NO_RESULT)
        self.history.clear()
        self.set_ready(connected=False, busy=False)
        self.message.setText(NO_BENCH)

    def begin(self) -> None:
        """Show that a calibration starts: nothing is measured yet."""
        self._discrepancies.clear()
        self._fit.setData([], [])
        self.frame.clear()
        self.frame.set_unit("counts")
        self.progress.setMaximum(1)
        self.progress.reset()
        self.details.setCurrentIndex(0)

    def begin_routine(self, name: str) -> None:
        """Show that a routine starts."""
        self._stage_s = time.monotonic()
        if name in self._states:
            self._set_row(name, "measuring", "now", ROUTINE_TITLES[name])
        self.message.setText(f"{name} ...")

    def show_step(self, step: CalibrationStep | AlignmentStep, picture: Picture | None) -> None:
        """Show one measurement of a routine, or one step of the alignment fit."""
        if isinstance(step, CalibrationStep):
            done, name = step.index + 1, step.routine
        else:
            done, name = step.step + 1, "alignment"
            self._discrepancies.append(max(step.discrepancy, 1e-9))
            self._fit.setData(list(range(len(self._discrepancies))), self._discrepancies)
        self.progress.setMaximum(max(step.total, 1))
        self.progress.setValue(min(done, step.total))
        left = time_left(self._stage_s, done, step.total)
        self.message.setText(f"{name}: {step.message}{left}")
        if picture is not None:
            self.frame.set_unit(step.unit if isinstance(step, CalibrationStep) else CAMERA_UNIT)
            self.frame.show_picture(picture)

    def show_result(self, name: str, result: Result) -> None:
        """Show the verdict of a routine that has ended."""
        verdict = result.verdict
        state = {"pass": "fresh", "warn": "warn", "fail": "failed"}[verdict.level]
        self._set_row(name, state, "now", f"{verdict.reason} {verdict.remedy}".strip())

    def show_validity(self, findings: tuple[tuple[str, str, str], ...]) -> None:
        """Show the findings of a validity check: routine, state and reason of each."""
        for name, state, message in findings:
            if name not in self._titles:
                self._add_row(name, OWN)
            taken = self._cell(self._row(name), 2).text()
            self._set_row(name, state, taken, message)

    def show_end(self, message: str) -> None:
        """Show how the calibration has ended."""
        done = self.progress.maximum() if message.startswith("completed") else 0
        self.progress.setValue(done)
        self.message.setText(message)

    def state_of(self, name: str) -> str:
        """Return the state of a routine, as shown."""
        return self._states[name]

    def _show_own(self, own: Mapping[str, StoredVerdict], checked: bool) -> None:
        """Show the routines of scripts whose results this archive holds, below labdiff's."""
        for name in [name for name in self._titles if name not in {**ROUTINE_TITLES, **own}]:
            self._remove_row(name)
        for name, stored in own.items():
            if name not in self._titles:
                self._add_row(name, f"{stored.title} ({OWN})" if stored.title else OWN)
            self._show_stored(name, stored.verdict, stored.provenance.taken_utc, checked)

    def _show_stored(self, name: str, verdict: Verdict, taken_utc: str, checked: bool) -> None:
        state = "failed" if verdict.level == "fail" else "stored"
        if checked and self._states[name] not in ("never", "measuring"):
            state = self._states[name]
        self._set_row(name, state, ago(taken_utc), f"{verdict.reason} {verdict.remedy}".strip())

    def _add_row(self, name: str, title: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self._titles[name] = title
        self._states.setdefault(name, "never")
        for column, text in enumerate((name, "never", "", title)):
            self.table.setItem(row, column, QTableWidgetItem(text))
        self._cell(row, 0).setToolTip(title)

    def _remove_row(self, name: str) -> None:
        self.table.removeRow(self._row(name))
        del self._titles[name], self._states[name]

    def _row(self, name: str) -> int:
        return list(self._titles).index(name)

    def _set_row(self, name: str, state: str, taken: str, message: str) -> None:
        row = self._row(name)
        self._states[name] = state
        for column, text in ((1, state), (2, taken), (3, message)):
            self._cell(row, column).setText(text)
        self._cell(row, 3).setToolTip(message)
        self._paint_row(name)

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        if item is None:
            raise IndexError(f"the table has no cell ({row}, {column})")
        return item

    def _choose(self) -> None:
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        if not rows:
            self.message.setText("Select one or more routines in the table first.")
            return
        chosen = tuple(list(self._titles)[row] for row in rows)
        own = [name for name in chosen if name not in ROUTINE_TITLES]
        if own:
            self.message.setText(f"{', '.join(own)}: {OWN}; its script measures it.")
            return
        self.chosen_wanted.emit(chosen)

    def _selected(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        if self._folder is None or len(rows) != 1:
            return
        name = list(self._titles)[rows.pop()]
        self._drawing += 1
        task = FigureTask(self._folder, name, self._patch_shape, self._drawing)
        task.signals.drawn.connect(self._on_drawn)
        QThreadPool.globalInstance().start(task)

    def _on_drawn(self, number: int, message: str, result: bytes, history: bytes) -> None:
        if number != self._drawing:
            return  # another routine was selected meanwhile
        for label, image, text in (
            (self.result, result, message),
            (self.history, history, "Measured once; a history needs two."),
        ):
            if image:
                pixmap = QPixmap()
                pixmap.loadFromData(image)
                label.setPixmap(pixmap)
            else:
                label.setText(text)
        if self.details.currentIndex() == 0:
            self.details.setCurrentIndex(1)

    def _open_report(self) -> None:
        if self._folder is None:
            return
        page = self._folder / "report.html"
        if page.is_file():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.resolve())))
        else:
            self.message.setText("There is no report yet; it is written after a calibration.")

    def _paint(self) -> None:
        chosen = style.theme()
        self.curve.setBackground(chosen.panel)
        for name in ("left", "bottom"):
            self.curve.getAxis(name).setPen(chosen.quiet)
            self.curve.getAxis(name).setTextPen(chosen.quiet)
        self._fit.setPen(pg.mkPen(chosen.discrepancy, width=1))
        self._fit.setSymbolBrush(chosen.discrepancy)
        for key, icon in (("check", "eye-outline"), ("stale", "refresh"), ("stop", "stop")):
            self.buttons[key].setIcon(qta.icon(f"mdi6.{icon}", color=chosen.text))
        for name in self._titles:
            self._paint_row(name)

    def _paint_row(self, name: str) -> None:
        role = STATE_ROLES.get(self._states[name], "text")
        item = self._cell(self._row(name), 1)
        item.setForeground(QColor(getattr(style.theme(), role)))
