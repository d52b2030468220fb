"""A list of the run files below a folder, looked at again and again while it can be seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
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
from labdiff.runs.summary import RunSummary

LOOK_MS = 2000
"""Between two looks into the folder; a run that grows is written every two seconds."""


class RunList(QWidget):
    """chosen: other runs are selected, or one of them has changed. looked: the folder was
    looked into. trouble: why the folder cannot be read.
    """

    chosen = Signal()
    looked = Signal()
    trouble = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_list")
        self._scan = RunScan(Path())
        self._looking = False
        self._told: list[RunSummary] = []
        self._background = Background(self)
        self.model = RunsModel()
        self.order = RunsInOrder(self.model)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._on_time)
        self._timer.start()
        style.style.changed.connect(self._paint)
        self._paint()

    @property
    def folder(self) -> Path:
        """Below which runs are looked for."""
        return self._scan.folder

    @property
    def busy(self) -> bool:
        """Whether it is looking."""
        return self._background.busy

    def open_folder(self, folder: Path) -> None:
        """Show the runs below another folder."""
        self._scan = RunScan(folder)
        self.model.show_runs([])
        self.model.folder = folder
        self.path.setText(str(folder))
        self.look()

    def look(self) -> None:
        """See what lies in the folder now."""
        if self._looking:
            return
        self._looking = True
        scan = self._scan
        self._background.start(
            scan.look, partial(self._on_looked, scan), partial(self._on_failed, scan)
        )

    def select(self, paths: list[Path]) -> None:
        """As if the user had clicked on them."""
        chosen = self.table.selectionModel()
        chosen.clearSelection()
        flag = QItemSelectionModel.SelectionFlag
        for row, run in enumerate(self.model.runs):
            if run.path in paths:
                index = self.order.mapFromSource(self.model.index(row, 0))
                chosen.select(index, flag.Select | flag.Rows)

    def selected(self) -> list[RunSummary]:
        """Runs that are chosen, from top to bottom."""
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
        self.again.setToolTip("Look anew; rows of files that are gone go too")
        self.again.clicked.connect(self._on_path)
        self.filter = QLineEdit()
        self.filter.setObjectName("runs_filter")
        self.filter.setPlaceholderText("show runs with ...")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.order.look_for)
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
        self.table.selectionModel().selectionChanged.connect(self._tell)
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
            self.look()

    def _on_looked(self, scan: RunScan, runs: list[RunSummary]) -> None:
        self._looking = False
        if scan is not self._scan:  # another folder was opened meanwhile
            self.look()
            return
        self.model.show_runs(runs)
        self.looked.emit()
        if self.selected() != self._told:
            self._tell()

    def _on_failed(self, scan: RunScan, words: str) -> None:
        self._looking = False
        if scan is not self._scan:
            self.look()
            return
        self.model.show_runs([])
        self.trouble.emit(words)

    def _tell(self) -> None:
        self._told = self.selected()
        self.chosen.emit()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of runs", str(self.folder))
        if chosen:
            self.open_folder(Path(chosen))

    def _paint(self) -> None:
        colour = style.theme().text
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=colour))
        self.again.setIcon(qta.icon("mdi6.refresh", color=colour))
        if self.model.runs:
            last = self.model.index(len(self.model.runs) - 1, len(COLUMNS) - 1)
            self.model.dataChanged.emit(self.model.index(0, 0), last)
