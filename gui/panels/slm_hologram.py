"""A hologram: a text or a picture that the digital twin computes layers for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.colour_maps import intensity_map
from gui.image_view import ImageView
from gui.slm_patterns.hologram_target import text_target
from gui.slm_patterns.input_file import INPUT_FILTER, load_input
from gui.widgets.dialogs import choose_file
from gui.widgets.job_bar import JobBar
from gui.widgets.number_field import CountField
from gui.widgets.page import Note
from labdiff.engine import commands as ask
from labdiff.errors import UserError
from labdiff.events import HologramDisplayed, HologramStep

COMPUTING = "asking the twin ..."


class HologramPage(QWidget):
    """Asks for a hologram, and shows how far its optimisation is.

    Attributes:
        command_wanted: Emitted with a command of `labdiff.engine.commands`.
    """

    command_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._patch: tuple[int, int] | None = None
        self._busy = self._mine = False
        self.text = QLineEdit("light")
        self.text.setObjectName("slm_hologram_text")
        self.text.setToolTip("What the light on the output plane is to show")
        self.steps = CountField(
            "slm_hologram_steps", 150, 1, 10_000, tip="Of the optimisation; a second or so for 100."
        )
        self.show_text = _button(
            "slm_hologram_show", "Show text", "Compute layers, then display them"
        )
        self.show_text.clicked.connect(self._send_text)
        self.picture = _button(
            "slm_hologram_picture", "Picture...", "The same for a picture's brightness"
        )
        self.picture.clicked.connect(self._ask_picture)
        self.stop = _button("slm_hologram_stop", "Stop", "Stop; the SLM keeps what it displays")
        self.stop.clicked.connect(self._stop)
        self.progress = JobBar()
        self.said = Note("slm_hologram_state", 3)
        self.seen = ImageView("The twin's output plane", "rel. units", intensity_map)
        # As high as there is room, and no reason to scroll.
        self.seen.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.seen.setMinimumHeight(8 * self.fontMetrics().lineSpacing())
        form = QFormLayout()
        form.addRow("Text", self.text)
        form.addRow("Steps", self.steps)
        buttons = QHBoxLayout()
        for button in (self.show_text, self.picture, self.stop):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.progress)
        layout.addWidget(self.said)
        layout.addWidget(self.seen, 1)
        self._enable()

    def set_patch(self, shape: tuple[int, int] | None) -> None:
        """Set the (height, width) of a patch; None if no bench is connected."""
        self._patch = shape
        self._enable()

    def set_busy(self, busy: bool) -> None:
        """Ask for nothing while a job runs."""
        self._busy = busy
        if not busy and self._mine:
            self._mine = False
            if self.said.text() == COMPUTING:
                self.said.clear()
        self._enable()

    def show_step(self, step: HologramStep, picture: npt.NDArray[np.floating] | None) -> None:
        """Show how far the optimisation is, and what the twin sees."""
        self.progress.setMaximum(step.total)
        self.progress.setValue(step.step + 1)
        self.said.setText(f"correlation with the image {step.correlation:.3f}")
        if picture is not None:
            self.seen.show_picture(picture)

    def show_displayed(self, shown: HologramDisplayed) -> None:
        """Show that the hologram is on the SLM."""
        values = (
            "" if shown.aligned else ", at the data sheets' values: calibrate for the bench's own"
        )
        self.said.setText(
            f"displayed; correlation with the image on the twin {shown.correlation:.3f}{values}"
        )

    def settle(self) -> None:
        """Show nothing in progress any more: it has failed, and a notice says why."""
        if self.said.text() == COMPUTING:
            self.said.clear()

    def load(self, path: Path) -> None:
        """Ask for the hologram of a picture."""
        if self._patch is None:
            return
        try:
            target = load_input(path, self._patch)
        except UserError as error:
            self.said.setText(str(error))
            return
        self._send(target, path.name)

    def reset(self) -> None:
        """Forget the last bench's hologram."""
        self.set_busy(False)
        self.set_patch(None)
        self.said.clear()
        self.progress.reset()
        self.seen.clear()

    def _send_text(self) -> None:
        if self._patch is None:
            return
        try:
            target = text_target(self.text.text(), self._patch)
        except UserError as error:
            self.said.setText(str(error))
            return
        self._send(target, f"text {self.text.text()!r}")

    def _send(self, target: npt.NDArray[np.float32], name: str) -> None:
        if not self.steps.commit():
            self.said.setText(f"{self.steps.refusal}. Nothing is computed.")
            return
        self.said.setText(COMPUTING)
        self._mine = True
        self.command_wanted.emit(ask.ShowHologram(target, name, self.steps.value()))

    def _stop(self) -> None:
        self.said.setText("stopping ...")
        self.command_wanted.emit(ask.Stop())

    def _ask_picture(self) -> None:
        choose_file(self, "Picture of the hologram", Path.cwd(), (INPUT_FILTER,), self.load)

    def _enable(self) -> None:
        free = self._patch is not None and not self._busy
        for control in (self.show_text, self.picture):
            control.setEnabled(free)
        self.stop.setEnabled(self._busy and self._mine)


def _button(name: str, text: str, tip: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    return made
