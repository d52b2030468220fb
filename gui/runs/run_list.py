"""A list of the run files below a folder, which is scanned again and again while the list is visible."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.runs.run_scan import RunScan
from gui.runs.runs_model import COLUMNS, RunsInOrder, RunsModel
from gui.widgets.background import Background
from gui.widgets.dialogs import choose_folder
from labdiff.runs.summary import RunSummary

SCAN_MS = 2000
"""Time between two scans of the folder; a growing run is written every two seconds."""


class RunList(QWidget):
    """Lists the runs below a folder.

    Attributes:
        chosen: Emitted when other runs are selected, or one of them has changed.
        scanned: Emitted when the folder has been scanned.
        problem: Emitted with a message when the folder cannot be read.
    """

    chosen = Signal()
    scanned = Signal()
    problem = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_list")
        self._scan = RunScan(Path())
        self._scanning = False
        self._reported: list[RunSummary] = []
        self._background = Background(self)
        self.model = RunsModel()
        self.order = RunsInOrder(self.model)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(SCAN_MS)
        self._timer.timeout.connect(self._on_time)
        self._timer.start()
        style.style.changed.connect(self._paint)
        self._paint()

    @property
    def folder(self) -> Path:
        """Folder below which runs are listed."""
        return self._scan.folder

    @property
    def busy(self) -> bool:
        """True while the folder is being scanned."""
        return self._background.busy

    def open_folder(self, folder: Path) -> None:
        """Show the runs below another folder."""
        self._scan = RunScan(folder)
        self.model.show_runs([])
        self.model.folder = folder
        self.path.setText(str(folder))
        self.scan()

    def scan(self) -> None:
        """Scan the folder now."""
        if self._scanning:
            return
        self._scanning = True
        scan = self._scan
        self._background.start(
            scan.scan, partial(self._on_scanned, scan), partial(self._on_failed, scan)
        )

    def select(self, paths: list[Path]) -> None:
        """Select runs as if the user had clicked on them."""
        chosen = self.table.selectionModel()
        chosen.clearSelection()
        flag = QItemSelectionModel.SelectionFlag
        for row, run in enumerate(self.model.runs):
            if run.path in paths:
                index = self.order.mapFromSource(self.model.index(row, 0))
                chosen.select(index, flag.Select | flag.Rows)

    def selected(self) -> list[RunSummary]:
        """Return the selected runs, from top to bottom."""
        rows = sorted(self.table.selectionModel().selectedRows(), key=QModelIndex.row)
        return [self.model.runs[self.order.mapToSource(row).row()] for row in rows]

    def _build(self) -> None:
        self.path = QLineEdit()
        self.path.setObjectName("runs_folder")
        self.path.setToolTip("Folder with runs, also in folders below it")
        self.path.returnPressed.connect(self._on_path)
        self.browse = QToolButton()
        self.browse.setObjectName("runs_browse")
        self.browse.setToolTip("Choose a folder")
        self.browse.clicked.connect(self._browse)
        self.again = QToolButton()
        self.again.setObjectName("runs_refresh")
        self.again.setToolTip("Scan the folder anew; rows of deleted files are removed")
        self.again.clicked.connect(self._on_path)
        self.filter = QLineEdit()
        self.filter.setObjectName("runs_filter")
        self.filter.setToolTip("Show the runs that contain every word, in any column")
        self.filter.setPlaceholderText("show runs with ...")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.order.search)
        self.table = QTableView()
        self.table.setObjectName("runs_table")
        self.table.setModel(self.order)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAlternatingRowColors(True)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.table.selectionModel().selectionChanged.connect(self._report)
        top = QHBoxLayout()
        top.addWidget(self.path, 2)
        top.addWidget(self.browse)
        top.addWidget(self.again)
        top.addWidget(self.filter, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)

    def _on_path(self) -> None:
        self.open_folder(Path(self.path.text()))

    def _on_time(self) -> None:
        if self.isVisible():
            self.scan()

    def _on_scanned(self, scan: RunScan, runs: list[RunSummary]) -> None:
        self._scanning = False
        if scan is not self._scan:  # another folder was opened meanwhile
            self.scan()
            return
        self.model.show_runs(runs)
        self.scanned.emit()
        if self.selected() != self._reported:
            self._report()

    def _on_failed(self, scan: RunScan, message: str) -> None:
        self._scanning = False
        if scan is not self._scan:
            self.scan()
            return
        self.model.show_runs([])
        self.problem.emit(message)

    def _report(self) -> None:
        self._reported = self.selected()
        self.chosen.emit()

    def _browse(self) -> None:
        choose_folder(self, "Folder of runs", self.folder, self.open_folder)

    def _paint(self) -> None:
        colour = style.theme().text
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=colour))
        self.again.setIcon(qta.icon("mdi6.refresh", color=colour))
        if self.model.runs:
            last = self.model.index(len(self.model.runs) - 1, len(COLUMNS) - 1)
            self.model.dataChanged.emit(self.model.index(0, 0), last)
