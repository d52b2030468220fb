"""Choose a bench, start and stop, see how far it is."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

UNITS = ("mrad", "urad", "rad", "mm", "um", "nm", "px", "percent", "m")


def name_and_unit(name: str) -> tuple[str, str]:
    """("z gap", "mm") of "z_gap_mm"; the unit is the last part that is one."""
    parts = name.split("_")
    for index in range(len(parts) - 1, 0, -1):
        if parts[index] in UNITS:
            return " ".join(parts[:index] + parts[index + 1 :]), parts[index].replace("um", "µm")
    return " ".join(parts), "1"


class RunPanel(QWidget):
    """Signals: `started(bench)`, `stopped()`."""

    started = Signal(str)
    stopped = Signal()

    def __init__(self, benches: list[str], bench: Path | None) -> None:
        super().__init__()
        self.setFixedWidth(300)
        self.bench = QComboBox()
        self.bench.addItems(benches)
        if bench is not None:
            self.choose(str(bench))
        browse = QPushButton("File…")
        browse.clicked.connect(self._browse)
        self.start, self.stop = QPushButton("Start"), QPushButton("Stop")
        self.start.setObjectName("start")
        self.start.clicked.connect(lambda: self.started.emit(self.bench.currentText()))
        self.stop.clicked.connect(self.stopped)
        self.bar = QProgressBar()
        self.stage, self.status = QLabel("idle"), QLabel("ready")
        self.stage.setObjectName("faint")
        self.status.setWordWrap(True)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["parameter", "value", "unit"])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.log = QListWidget()
        self.log.setWordWrap(True)
        choose, buttons = QHBoxLayout(), QHBoxLayout()
        choose.addWidget(self.bench, 1)
        choose.addWidget(browse)
        buttons.addWidget(self.start, 1)
        buttons.addWidget(self.stop, 1)
        run = QGroupBox("Run")
        inside = QVBoxLayout(run)
        inside.addLayout(choose)
        inside.addLayout(buttons)
        for widget in (self.stage, self.bar, self.status):
            inside.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(run)
        for title, item in (("Alignment of the twin", self.table), ("Log", self.log)):
            group = QGroupBox(title)
            QVBoxLayout(group).addWidget(item)
            layout.addWidget(group, 1)
        self._began_s = time.monotonic()
        self.busy(False)

    def busy(self, busy: bool) -> None:
        """Enable what can be pressed now."""
        self.start.setEnabled(not busy)
        self.bench.setEnabled(not busy)
        self.stop.setEnabled(busy)

    def choose(self, bench: str) -> None:
        """Select a bench file, adding it if it is new."""
        if self.bench.findText(bench) < 0:
            self.bench.addItem(bench)
        self.bench.setCurrentText(bench)

    def begin_stage(self, stage: str, total: int) -> None:
        """A new stage: the bar starts again."""
        self._began_s = time.monotonic()
        self.bar.setRange(0, max(total, 0))
        self.bar.setValue(0)
        self.stage.setText(stage)
        self.stage.setProperty("stage", stage)
        self.say(stage)

    def progress(self, done: int, total: int) -> None:
        """`done` steps of `total`; says the time left."""
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        left_s = (time.monotonic() - self._began_s) * (total - done) / max(done, 1)
        name = self.stage.property("stage") or ""
        self.stage.setText(f"{name}: {done}/{total}, {left_s:.0f} s left")

    def say(self, text: str) -> None:
        """Set the status line and keep it in the log."""
        self.status.setText(text)
        self.log.addItem(f"{time.strftime('%H:%M:%S')}  {text}")
        while self.log.count() > 500:
            self.log.takeItem(0)
        self.log.scrollToBottom()

    def show_alignment(self, alignment: dict[str, float]) -> None:
        """Fill the table; units are read off the names."""
        self.table.setRowCount(len(alignment))
        for row, (name, value) in enumerate(alignment.items()):
            label, unit = name_and_unit(name)
            for column, text in enumerate((label, f"{value:.4g}", unit)):
                self.table.setItem(row, column, QTableWidgetItem(text))

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Bench file", "", "Bench files (*.toml)")
        if path:
            self.choose(path)
