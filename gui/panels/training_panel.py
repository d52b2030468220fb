"""Training: a form of the options, start, pause and stop, and pictures and curves of the steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.image_view import Picture
from gui.panels.training_pictures import GAP_PX, TrainingPictures
from gui.plots.training_plots import TrainingPlots
from gui.time_left import time_left
from gui.widgets.dialogs import choose_file
from gui.widgets.job_bar import JobBar
from gui.widgets.model_form import ModelForm
from gui.widgets.plain_label import PlainLabel
from labdiff.config.training import GROUPS, TrainingOptions, quick_options
from labdiff.data.catalogue import DATA_SETS, SELECTIONS
from labdiff.events import AlignmentStep, TrainingStep
from labdiff.reports.labels import loss_note

NO_BENCH = "Connect a bench first."
LEAST_PLOTS_PX = 250
"""Least height of the curves; where the panel is lower it scrolls."""


class TrainingPanel(QWidget):
    """Starts trainings and shows their steps.

    Attributes:
        train_wanted: Emitted with the options, and a layer file or None.
        resume_wanted: Emitted with the run file to resume.
        pause_wanted: Emitted with whether the job is to be paused.
        stop_wanted: Emitted when the job is to be stopped.
    """

    train_wanted = Signal(object, object)
    resume_wanted = Signal(object)
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
        self.pretrained.setToolTip("Use the pretrained layers instead of training offline")
        presets = QHBoxLayout()
        for text, options, hint in (
            ("Quick", quick_options(), "A minute instead of minutes; worse images"),
            ("Full", TrainingOptions(), "The options of the demo"),
        ):
            button = QPushButton(text)
            button.setObjectName(f"preset_{text.lower()}")
            button.setToolTip(hint)
            button.clicked.connect(lambda _=False, chosen=options: self.form.fill(chosen))
            presets.addWidget(button)
        side = QWidget()
        column = QVBoxLayout(side)
        column.addLayout(presets)
        column.addWidget(self.pretrained)
        column.addWidget(self.form, 1)
        scroll = self._options = QScrollArea()
        scroll.setObjectName("training_options")
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(side.minimumSizeHint().width() + 24)

        self.show_options = QPushButton("Options")
        self.show_options.setCheckable(True)
        self.show_options.setChecked(True)
        self.show_options.setToolTip("Show the options of the next training, or fold them away")
        self.show_options.toggled.connect(self._fold)
        self.start = QPushButton("Start")
        self.pause = QPushButton("Pause")
        self.stop = QPushButton("Stop and save")
        self.resume = QPushButton("Resume a run ...")
        for name, button in (
            ("options", self.show_options),
            ("start", self.start),
            ("pause", self.pause),
            ("stop", self.stop),
            ("resume", self.resume),
        ):
            button.setObjectName(f"train_{name}")
        self.start.setToolTip("Train with the options of the form; calibrate first, if necessary")
        self.pause.setToolTip("Pause between two steps, and continue (Ctrl+P)")
        self.stop.setToolTip("End the run with all its data (Ctrl+.)")
        self.pause.setCheckable(True)
        self.start.clicked.connect(self._start)
        self.pause.clicked.connect(self.pause_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.resume.clicked.connect(self._resume)
        self.resume.setToolTip("Resume a run that was stopped or interrupted")
        self.message = PlainLabel(NO_BENCH)
        self.message.setObjectName("training_message")
        self.message.setWordWrap(True)
        self.progress = JobBar()
        top = QHBoxLayout()
        for button in (self.show_options, self.start, self.pause, self.stop, self.resume):
            top.addWidget(button)
        top.addStretch(1)
        self.progress.setFixedWidth(16 * self.fontMetrics().averageCharWidth())
        second = QHBoxLayout()
        second.addWidget(self.message, 1)
        second.addWidget(self.progress)
        self.pictures = TrainingPictures()
        self.plots = TrainingPlots()
        self.plots.setMinimumHeight(LEAST_PLOTS_PX)
        lower = QSplitter(Qt.Orientation.Vertical)
        lower.setChildrenCollapsible(False)
        lower.addWidget(self.pictures)
        lower.addWidget(self.plots)
        lower.setStretchFactor(0, 2)
        lower.setStretchFactor(1, 3)
        results = self._results = QScrollArea()
        results.setWidget(lower)
        results.setWidgetResizable(True)
        results.setFrameShape(QScrollArea.Shape.NoFrame)
        bar_px = results.verticalScrollBar().sizeHint().width()
        results.setMinimumWidth(self.pictures.minimumSizeHint().width() + bar_px)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(scroll)
        split.addWidget(results)
        split.setStretchFactor(1, 1)
        layout = self._column = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addLayout(second)
        layout.setSizeConstraint(
            QVBoxLayout.SizeConstraint.SetNoConstraint
        )  # see `minimumSizeHint`
        layout.addWidget(split, 1)
        style.style.changed.connect(self._paint)
        self._paint()
        self.set_ready(connected=False, busy=False)

    def set_ready(self, connected: bool, busy: bool, training: bool = False) -> None:
        """Enable what can be asked for now.

        Args:
            connected: A bench is open.
            busy: A job uses it.
            training: The job is a training.
        """
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
            self.message.setText(
                "Start trains an optical denoising unit; the bench is calibrated first, if necessary."
                if connected
                else NO_BENCH
            )

    def reset(self) -> None:
        """Forget the training of the last bench; the form stays as it was filled in."""
        self._forget()
        self.show_paused(False)
        self.set_ready(connected=False, busy=False)
        self.show_options.setChecked(True)
        self.message.setText(NO_BENCH)

    def _forget(self) -> None:
        self._stage = ""
        self.plots.clear()
        self.pictures.clear()
        self.progress.setMaximum(1)
        self.progress.reset()

    def begin(self, path: str) -> None:
        """Show that a training starts, recorded in a run file; the options are folded away."""
        self._forget()
        self.show_options.setChecked(False)
        self.message.setText(f"recorded in {path}")

    def show_paused(self, on: bool) -> None:
        """Show that the job is paused, or runs."""
        self.pause.setChecked(on)
        self.pause.setText("Continue" if on else "Pause")
        if on:
            self.message.setText(f"{self._stage}: paused")

    def begin_stage(self, stage: str) -> None:
        """Show that a stage of the training starts."""
        self._stage, self._stage_s = stage, time.monotonic()
        self.progress.setValue(0)
        self.message.setText(f"{stage} ...")

    def show_step(self, step: TrainingStep) -> None:
        """Show one training step."""
        self.plots.add(step)
        note = loss_note(step)
        if step.frames_per_s is not None and step.duty is not None:
            note += f", {step.frames_per_s:.1f} frames/s, duty {step.duty:.0%}"
        self._advance(step.step, step.total, note)

    def show_alignment(self, step: AlignmentStep) -> None:
        """Show one step of the alignment fit before the training."""
        self.plots.add_alignment(step)
        self._advance(step.step, step.total, step.message)

    def show_progress(self, index: int, total: int, note: str) -> None:
        """Show a step of a calibration or of a generation that is a part of the training.

        Args:
            index: Number of the step, from 0.
            total: Number of steps.
            note: What the step does.
        """
        self._advance(index, total, note)

    def show_pictures(self, pictures: Mapping[str, Picture]) -> None:
        """Show the pictures of a step."""
        self.pictures.show_pictures(pictures)

    def show_end(self, message: str) -> None:
        """Show how the training has ended."""
        self.plots.redraw()
        if not message.startswith("completed"):
            self.progress.reset()
        self.message.setText(message)

    def _advance(self, index: int, total: int, note: str) -> None:
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(min(index + 1, total))
        left = time_left(self._stage_s, index + 1, total)
        self.message.setText(f"{self._stage}: {note}{left}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show options and results beside each other only where there is room for both."""
        super().resizeEvent(event)
        self._fold()

    def minimumSizeHint(self) -> QSize:
        """Return the least size: in it either options or results are shown."""
        margins = self.contentsMargins()
        frame = self._column.contentsMargins()
        width = max(self._options.minimumWidth(), self._results.minimumWidth())
        sides = margins.left() + margins.right() + frame.left() + frame.right()
        return QSize(width + sides, super().minimumSizeHint().height())

    def _fold(self) -> None:
        shown = self.show_options.isChecked()
        both = self._options.minimumWidth() + self._results.minimumWidth() + 3 * GAP_PX
        self._options.setVisible(shown)
        self._results.setVisible(not shown or both <= self.width())

    def _start(self) -> None:
        try:
            options = self.form.value()
        except ValueError as error:
            self.message.setText(str(error))
            return
        layers = Path("pretrained") if self.pretrained.isChecked() else None
        self.train_wanted.emit(options, layers)

    def _resume(self) -> None:
        choose_file(
            self,
            "Run to resume",
            Path.cwd(),
            ("Run files (*.h5)", "All files (*)"),
            self.resume_wanted.emit,
        )

    def _paint(self) -> None:
        for button, icon in (
            (self.start, "play"),
            (self.pause, "pause"),
            (self.stop, "stop"),
            (self.resume, "replay"),
        ):
            button.setIcon(qta.icon(f"mdi6.{icon}", color=style.theme().text))
