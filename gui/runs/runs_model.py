"""Runs as a table: one row for each run file, sorted by values and not by their text."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor

from gui import style
from gui.runs.run_scan import GONE, RECORDING, UNREADABLE
from labdiff.runs.reader import DIED
from labdiff.runs.summary import RunSummary

Index = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole
SCORED = {
    "": "",
    "mse_online_bench": "online, bench",
    "mse_retrained_bench": "retrained, bench",
    "mse_calibrated_bench": "calibrated, bench",
    "mse_offline_bench": "offline, bench",
    "mse_offline_twin": "offline, twin",
}
"""Short names of the figures of `labdiff.runs.summary.SCORES`."""
COLUMNS: tuple[tuple[str, str, Callable[[RunSummary], Any]], ...] = (
    ("Run", "File below the folder", lambda run: str(run.path)),
    ("Started", "Local time", lambda run: run.started),
    ("Outcome", "How the run has ended", lambda run: run.outcome),
    ("Seed", "Seed of data, training and simulated laboratory", lambda run: run.seed),
    ("Bench", "Name in its bench file", lambda run: run.bench),
    ("Steps", "Number of training steps", lambda run: run.steps),
    (
        "MSE",
        "Noise MSE on held-out images over all t, of the last layers that were scored",
        lambda run: run.mse,
    ),
    ("of", "Which layers that is, and where they were scored", lambda run: SCORED[run.scored]),
    (
        "Wiener",
        "Noise MSE of the best linear predictor on the same images",
        lambda run: run.wiener_mse,
    ),
    (
        "Mismatch",
        "Mismatch camera vs. twin (1 - correlation) at the end of the run, or of its last step",
        lambda run: run.discrepancy,
    ),
    ("Images", "Number of generated images", lambda run: run.images),
    (
        "Remarks",
        "What went wrong; of a recording, what it holds",
        lambda run: run.problem or run.reason,
    ),
)
NUMBERS = {"Seed", "Steps", "MSE", "Wiener", "Mismatch", "Images"}


class RunsModel(QAbstractTableModel):
    """Rows stay where they are while runs grow, so that a selection stays too."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path()
        self.runs: list[RunSummary] = []

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Show these runs and no others."""
        new = {run.path: run for run in runs}
        for row in range(len(self.runs) - 1, -1, -1):
            if self.runs[row].path not in new:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.runs[row]
                self.endRemoveRows()
        for row, run in enumerate(self.runs):
            fresh = new.pop(run.path)
            if fresh is not run:
                self.runs[row] = fresh
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        if new:
            first = len(self.runs)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self.runs += new.values()
            self.endInsertRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return the name of a column, or the sentence that explains it."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section][0]
            if role == Qt.ItemDataRole.ToolTipRole:
                return COLUMNS[section][1]
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows, and how."""
        run = self.runs[index.row()]
        name, _, read = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(name, run, read(run))
        if role == SORT_ROLE:
            value = read(run)
            unknown = value is None or (isinstance(value, float) and math.isnan(value))
            return -math.inf if unknown else value
        if role == Qt.ItemDataRole.ToolTipRole:
            return run.problem or run.reason or str(run.path)
        if role == Qt.ItemDataRole.TextAlignmentRole and name in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and name in ("Outcome", "Remarks"):
            return QColor(outcome_colour(run.outcome))
        return None

    def _text(self, name: str, run: RunSummary, value: Any) -> str:
        if name == "Run":
            return str(run.path.relative_to(self.folder))
        if run.problem and run.outcome == UNREADABLE and name not in ("Outcome", "Remarks"):
            return ""
        if name == "Started":
            return moment(run.started)
        if isinstance(value, float):
            return "" if math.isnan(value) else f"{value:.4g}"
        if value is None or (not value and (name == "Images" or run.outcome == RECORDING)):
            return ""
        return str(value)


class RunsInOrder(QSortFilterProxyModel):
    """Shows the rows that contain every word searched for, in any column."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self._wanted: list[str] = []
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    def search(self, text: str) -> None:
        """Show the rows that contain every word of a text; all rows if it is empty."""
        self._wanted = text.lower().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Return whether a row is shown."""
        model = self.sourceModel()
        cells = [model.index(row, column, parent).data() for column in range(len(COLUMNS))]
        text = "\n".join(map(str, cells)).lower()
        return all(word in text for word in self._wanted)


def outcome_colour(outcome: str) -> str:
    """Return the colour of the word that says how a run has ended."""
    chosen = style.theme()
    states = {"completed": chosen.good, "failed": chosen.bad, GONE: chosen.warn}
    return {
        **states,
        UNREADABLE: chosen.bad,
        DIED: chosen.bad,
        "stopped": chosen.warn,
        RECORDING: chosen.text,
    }.get(outcome, chosen.accent)


def moment(started: str) -> str:
    """Return a recorded time as local time."""
    try:
        return datetime.fromisoformat(started).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return started
