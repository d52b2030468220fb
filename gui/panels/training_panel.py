"""Training: a form, start and pause and stop, and light as it learns."""

from __future__ import annotations

import time
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.image_view import CAMERA_HINT, ImageView, Picture
from gui.plots.training_plots import TrainingPlots
from gui.time_left import time_left
from gui.widgets.model_form import ModelForm
from labdiff.config.training import GROUPS, TrainingOptions, quick_options
from labdiff.data.catalogue import DATA_SETS, SELECTIONS
from labdiff.events import AlignmentStep, TrainingStep


class TrainingPanel(QWidget):
    """train_wanted(options, layer file or None, run to resume or None), pause_wanted(on), stop_wanted."""

    train_wanted = Signal(object, object, object)
    pause_wanted = Signal(bool)
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("training_panel")
        self._stage, self._stage_s = "", time.monotonic()
        self._connected = False
        self.form = ModelForm(TrainingOptions(), GROUPS, {"data": [*DATA_SETS, *SELECTIONS]})
        self.pretrained = QCheckBox("Start from the pretrained digits")
        self.pretrained.setObjectName("pretrained")
        self.pretrained.setToolTip("Layers that come along, instead of training offline")
        presets = QHBoxLayout()
        for words, options, hint in (
            ("Quick", quick_options(), "A minute instead of minutes; worse images"),
            ("Full", TrainingOptions(), "As the demo has it"),
        ):
            button = QPushButton(words)
            button.setObjectName(f"preset_{words.lower()}")
            button.setToolTip(hint)
            button.clicked.connect(lambda _=False, chosen=options: self.form.fill(chosen))
            presets.addWidget(button)
        side = QWidget()
        column = QVBoxLayout(side)
        column.addLayout(presets)
        column.addWidget(self.pretrained)
        column.addWidget(self.form, 1)
        scroll = QScrollArea()
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(side.sizeHint().width() + 24)

        self.start = QPushButton("Start")
        self.pause = QPushButton("Pause")
        self.stop = QPushButton("Stop and keep")
        self.resume = QPushButton("Resume a run ...")
        for name, button in (
            ("start", self.start),
            ("pause", self.pause),
            ("stop", self.stop),
            ("resume", self.resume),
        ):
            button.setObjectName(f"train_{name}")
        self.pause.setCheckable(True)
        self.start.clicked.connect(self._start)
        self.pause.clicked.connect(self.pause_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.resume.clicked.connect(self._resume)
        self.resume.setToolTip("Go on with a run file that was stopped or interrupted")
        self.words = QLabel("Connect a bench first.")
        self.words.setObjectName("training_words")
        self.words.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setFormat("%p %")
        top = QHBoxLayout()
        for button in (self.start, self.pause, self.stop, self.resume):
            top.addWidget(button)
        top.addWidget(self.progress, 1)

        self.views = {
            "input": ImageView("Input pattern", "rad", "CET-C2"),
            "camera": ImageView("Camera", "x flat", "inferno"),
            "predicted": ImageView("Predicted noise", "", "CET-D1", symmetric=True),
            "true": ImageView("True noise", "", "CET-D1", symmetric=True),
        }
        self.views["camera"].setToolTip(CAMERA_HINT)
        pictures = QWidget()
        grid = QGridLayout(pictures)
        grid.setContentsMargins(0, 0, 0, 0)
        for place, view in enumerate(self.views.values()):
            grid.addWidget(view, 0, place)
        self.plots = TrainingPlots()
        lower = QSplitter(Qt.Orientation.Vertical)
        lower.addWidget(pictures)
        lower.addWidget(self.plots)
        lower.setSizes([260, 400])
        right = QWidget()
        main = QVBoxLayout(right)
        main.setContentsMargins(0, 0, 0, 0)
        main.addLayout(top)
        main.addWidget(self.words)
        main.addWidget(lower, 1)
        split = QSplitter()
        split.addWidget(scroll)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(split)
        style.style.changed.connect(self._paint)
        self._paint()
        self.set_ready(connected=False, busy=False)

    def set_ready(self, connected: bool, busy: bool, training: bool = False) -> None:
        """What can be asked for now."""
        changed = connected != self._connected
        self._connected = connected
        self.start.setEnabled(connected and not busy)
        self.resume.setEnabled(connected and not busy)
        self.pause.setEnabled(training)
        self.stop.setEnabled(training)
        self.form.setEnabled(not training)
        if not training:
            self.pause.setChecked(False)
        if changed:
            self.words.setText(
                "Start trains a denoising unit; the bench is calibrated first, if it has to be."
                if connected
                else "Connect a bench first."
            )

    def begin(self, path: str) -> None:
        """A training starts."""
        self.plots.clear()
        self.progress.setValue(0)
        self.words.setText(f"kept at {path}")

    def paused(self, on: bool) -> None:
        """The job rests, or goes on."""
        self.pause.setChecked(on)
        self.pause.setText("Go on" if on else "Pause")
        if on:
            self.words.setText(f"{self._stage}: paused")

    def stage(self, stage: str) -> None:
        """A part of the training starts."""
        self._stage, self._stage_s = stage, time.monotonic()
        self.progress.setValue(0)
        self.words.setText(f"{stage} ...")

    def show_step(self, step: TrainingStep) -> None:
        """One step."""
        self.plots.add(step)
        note = f"set {step.layer_set}, twin MSE {step.twin_mse:.3f}"
        if step.bench_mse is not None:
            note = f"set {step.layer_set}, bench MSE {step.bench_mse:.3f}"
        if step.frames_per_s is not None and step.duty is not None:
            note += f", {step.frames_per_s:.1f} frames/s, duty {step.duty:.0%}"
        self._advance(step.step, step.total, note)

    def show_alignment(self, step: AlignmentStep) -> None:
        """One step of the fit before the training."""
        self.plots.add_alignment(step)
        self._advance(step.step, step.total, step.message)

    def show_progress(self, index: int, total: int, note: str) -> None:
        """Any other step: of a calibration, of the images."""
        self._advance(index, total, note)

    def show_pictures(self, pictures: dict[str, Picture]) -> None:
        """Both noises share their levels, so that the eye compares like with like."""
        limit = float(abs(pictures["true"]).max()) if "true" in pictures else None
        for name, picture in pictures.items():
            if name in self.views:
                self.views[name].show_picture(picture, limit)

    def ended(self, words: str) -> None:
        """The training is over."""
        self.plots.redraw()
        self.words.setText(words)

    def _advance(self, index: int, total: int, note: str) -> None:
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(min(index + 1, total))
        left = time_left(self._stage_s, index + 1, total)
        self.words.setText(f"{self._stage}: {note}{left}")

    def _start(self) -> None:
        try:
            options = self.form.value()
        except ValueError as error:
            self.words.setText(str(error))
            return
        layers = Path("pretrained") if self.pretrained.isChecked() else None
        self.train_wanted.emit(options, layers, None)

    def _resume(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Run to go on with", str(Path.cwd()), "Run files (*.h5);;All files (*)"
        )
        if path:
            self.train_wanted.emit(self.form.value(), None, Path(path))

    def _paint(self) -> None:
        for button, icon in (
            (self.start, "play"),
            (self.pause, "pause"),
            (self.stop, "stop"),
            (self.resume, "replay"),
        ):
            button.setIcon(qta.icon(f"mdi6.{icon}", color=style.theme().text))
