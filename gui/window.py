"""The main window: start, watch, stop."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from calibration.steps import CalibrationStep
from gui.image_view import ImageView, Picture
from gui.plots.training_curves import TrainingCurves
from gui.worker import Failed, Told, Worker
from labdiff.config import SHIPPED
from labdiff.events import (
    AlignmentStep,
    GenerationStep,
    JobEnded,
    Measured,
    StageStarted,
    TrainingStep,
)

POLL_MS = 33
REDRAW_S = 0.2
JOBS = "labdiff.jobs:open_job"


class MainWindow(QMainWindow):
    """Steers one job in a process of its own; `factory` names the function that opens it."""

    def __init__(self, bench: str, out: Path, seed: int, factory: str = JOBS) -> None:
        super().__init__()
        self._factory, self._out = factory, out
        self._worker: Worker | None = None
        self._run_folder = out
        self._stage_s = self._drawn_s = 0.0
        self._stage = ""
        self._dirty = self._closing = False
        self.setWindowTitle("labdiff")
        self.resize(1280, 800)
        self._build(bench, seed)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(POLL_MS)

    def _build(self, bench: str, seed: int) -> None:
        self.bench = QComboBox()
        self.bench.setEditable(True)
        self.bench.addItems(list(dict.fromkeys([bench, *SHIPPED])))
        self.bench.setToolTip("A shipped bench by name, or the path of a bench file")
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setValue(seed)
        self.seed.setToolTip("Seed of data, training and simulated laboratory")
        self.quick = QCheckBox("Quick")
        self.quick.setToolTip("A minute instead of minutes; worse images")
        self.start_button = QPushButton("Start")
        self.stop_button = QPushButton("Stop and keep")
        self.stop_button.setEnabled(False)
        self.start_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)
        top = QHBoxLayout()
        for widget in (QLabel("Bench"), self.bench, QLabel("Seed"), self.seed, self.quick):
            top.addWidget(widget)
        self.bench.setMinimumWidth(220)
        top.addWidget(self.start_button)
        top.addWidget(self.stop_button)
        top.addStretch(1)
        self.stage = QLabel("Ready. Start trains a denoising unit on the simulated bench.")
        top.addWidget(self.stage)

        self.views = {
            "input": ImageView("Input pattern", "rad", "CET-C2"),
            "camera": ImageView("Camera", "", "inferno"),
            "predicted": ImageView("Predicted noise", "", "CET-D1", symmetric=True),
            "true": ImageView("True noise", "", "CET-D1", symmetric=True),
        }
        pictures = QWidget()
        grid = QGridLayout(pictures)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, view in enumerate(self.views.values()):
            grid.addWidget(view, 0, column)
        self.curves = TrainingCurves()
        self.parameters = QTableWidget(0, 2)
        self.parameters.setHorizontalHeaderLabels(["Alignment", "Value"])
        self.parameters.horizontalHeader().setStretchLastSection(True)
        self.parameters.verticalHeader().hide()
        self.parameters.setColumnWidth(0, 190)
        self.parameters.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(2000)
        lower = QSplitter()
        side = QSplitter()
        side.setOrientation(side.orientation().__class__.Vertical)
        side.addWidget(self.parameters)
        side.addWidget(self.log)
        lower.addWidget(self.curves)
        lower.addWidget(side)
        lower.setSizes([900, 360])
        whole = QSplitter()
        whole.setOrientation(whole.orientation().__class__.Vertical)
        whole.addWidget(pictures)
        whole.addWidget(lower)
        whole.setSizes([360, 400])
        self.progress = QProgressBar()
        self.progress.setFormat("%p %")
        layout = QVBoxLayout()
        layout.addLayout(top)
        layout.addWidget(whole, 1)
        layout.addWidget(self.progress)
        centre = QWidget()
        centre.setLayout(layout)
        self.setCentralWidget(centre)

    def start(self) -> None:
        """Start a job in a fresh folder of runs."""
        if self._worker is not None:
            return
        number = 1
        while (self._out / f"gui-{number}" / "run.h5").exists():
            number += 1
        self._run_folder = self._out / f"gui-{number}"
        options: dict[str, Any] = {
            "bench": self.bench.currentText().strip(),
            "seed": self.seed.value(),
            "out": str(self._run_folder),
            "quick": self.quick.isChecked(),
        }
        self.curves.clear()
        self._worker = Worker(self._factory, "demo", options)
        self.start_button.setEnabled(False)
        self.stop_button.setEnabled(True)
        self._say(f"started; the run is kept at {self._run_folder / 'run.h5'}")
        self.stage.setText("opening the bench ...")

    def stop(self) -> None:
        """Ask the job to stop; what it recorded is kept."""
        if self._worker is not None:
            self._worker.stop()
            self.stop_button.setEnabled(False)
            self.stage.setText("stopping: laser off, SLM flat ...")

    @property
    def busy(self) -> bool:
        """True while a job runs."""
        return self._worker is not None

    def _poll(self) -> None:
        worker = self._worker
        if worker is None:
            return
        latest: dict[str, Any] = {}
        for told in worker.poll():
            if isinstance(told, Failed):
                self._notice(told.message)
                continue
            if told.pictures is not None:
                latest["pictures"] = told.pictures
            self._take(told)
        if "pictures" in latest:
            self._show_pictures(worker.ring.get(latest["pictures"]) or {})
        if self._dirty and time.monotonic() - self._drawn_s > REDRAW_S:
            self.curves.redraw()
            self._dirty, self._drawn_s = False, time.monotonic()
        if not worker.running:
            self._ended(worker)

    def _show_pictures(self, pictures: dict[str, Picture]) -> None:
        """Both noises share their levels, so that the eye compares like with like."""
        limit = float(abs(pictures["true"]).max()) if "true" in pictures else None
        for name, picture in pictures.items():
            if name in self.views:
                self.views[name].show_picture(picture, limit)

    def _take(self, told: Told) -> None:
        match told.event:
            case StageStarted(stage=stage):
                self._stage, self._stage_s = stage, time.monotonic()
                self._say(stage)
                self._progress(0, 1, "")
            case TrainingStep() as step:
                self.curves.add(step)
                self._dirty = True
                note = f"set {step.layer_set}, twin MSE {step.twin_mse:.3f}"
                if step.bench_mse is not None:
                    note = f"set {step.layer_set}, bench MSE {step.bench_mse:.3f}"
                self._progress(step.step, step.total, note)
                self._show_alignment(step.alignment)
            case AlignmentStep() as step:
                self.curves.add_alignment(step)
                self._dirty = True
                self._show_alignment(step.alignment)
                self._progress(step.step, step.total, step.message)
            case CalibrationStep() as step:
                self._progress(step.index, step.total, f"{step.routine}: {step.message}")
            case GenerationStep() as step:
                self._progress(step.step, step.total, f"t = {step.t}")
            case Measured(figures=figures):
                if {"mse_identity", "mse_wiener"} == set(figures):
                    self.curves.set_baselines(figures["mse_identity"], figures["mse_wiener"])
                self._say(", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
            case JobEnded(outcome=outcome, reason=reason):
                self._say(f"{outcome} {reason}".strip())
                self.stage.setText(f"{outcome}; run kept at {self._run_folder / 'run.h5'}")
            case _:
                pass

    def _progress(self, index: int, total: int, note: str) -> None:
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(index + 1 if note else 0)
        left = ""
        if note and index > 0:
            spent_s = time.monotonic() - self._stage_s
            left = f", {spent_s / index * (total - index - 1):.0f} s left"
        self.stage.setText(f"{self._stage}: {note}{left}" if note else self._stage)

    def _show_alignment(self, values: dict[str, float]) -> None:
        if not values or (self.parameters.rowCount() == len(values) and not self._dirty):
            return
        self.parameters.setRowCount(len(values))
        for row, (name, value) in enumerate(values.items()):
            words, _, unit = name.rpartition("_")
            unit = "%" if unit == "percent" else unit
            self.parameters.setItem(row, 0, QTableWidgetItem(words.replace("_", " ")))
            self.parameters.setItem(row, 1, QTableWidgetItem(f"{value:.3f} {unit}"))

    def _ended(self, worker: Worker) -> None:
        code = worker.exit_code
        if code not in (0, None, 1):
            self._notice(f"the job's process ended with code {code}; the run file is kept")
        worker.close()
        self._worker = None
        self.curves.redraw()
        self.start_button.setEnabled(True)
        self.stop_button.setEnabled(False)
        if self._closing:
            self.close()

    def _notice(self, message: str) -> None:
        self._say(message)
        self.stage.setText(message.splitlines()[0])

    def _say(self, words: str) -> None:
        self.log.appendPlainText(f"{time.strftime('%H:%M:%S')}  {words}")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when busy, then stop cleanly first."""
        if self._worker is None:
            event.accept()
            return
        event.ignore()
        if self._closing:
            return
        question = "A job is running. Stop it, keep what was recorded, and close?"
        answer = QMessageBox.question(self, "labdiff", question)
        if answer == QMessageBox.StandardButton.Yes:
            self._closing = True
            self.stop()
