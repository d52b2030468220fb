"""The desk of a DMD: all mirrors on or off, a checkerboard, an image or a file; and what it shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QGridLayout, QPushButton, QSizePolicy, QWidget

from gui.slm_patterns.input_file import INPUT_FILTER, checker, load_input, uniform
from gui.widgets.dialogs import choose_file
from gui.widgets.number_field import CountField
from gui.widgets.plain_label import PlainLabel
from labdiff.errors import UserError

UNKNOWN = "dark until something is shown"


class DmdDesk(QWidget):
    """Chooses what a DMD shows, and says what it shows and since when.

    Args:
        shape: (height, width) of its field.

    Attributes:
        wanted: Emitted with a field, (height, width), 0 ... 1, and its name.
    """

    wanted = Signal(object, str)

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        self.setObjectName("dmd_desk")
        self._shape, self._busy = shape, False
        self.displayed = PlainLabel(UNKNOWN)
        self.displayed.setObjectName("dmd_displayed")
        # However long its text is, it moves nothing.
        self.displayed.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.cell = CountField("dmd_cell", 8, 1, max(shape), "px", tip="Side of a square.")
        self._buttons: list[QPushButton] = []
        grid = QGridLayout()
        for place, (name, text, tip, act) in enumerate(
            (
                ("on", "All on", "All mirrors reflect to the bench", self._all_on),
                (
                    "off",
                    "All off",
                    "No mirror reflects to the bench: the bench is dark",
                    self._all_off,
                ),
                ("checker", "Checker", "Squares that are on and off in turn", self._checker),
                (
                    "file",
                    "Image or file ...",
                    "A picture, or .npy of amplitudes 0 ... 1",
                    self._choose,
                ),
            )
        ):
            grid.addWidget(self._button(name, text, tip, act), *divmod(place, 2))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Shows", self.displayed)
        form.addRow("Squares", self.cell)
        form.addRow(grid)

    def set_busy(self, busy: bool) -> None:
        """Lock the desk while a job uses the DMD; what it shows then is the job's."""
        if self._busy and not busy:
            self.displayed.setText("not known: left by the job")
        elif busy and not self._busy:
            self.displayed.setText("what the job shows")
        self._busy = busy
        for button in self._buttons:
            button.setEnabled(not busy)

    def show_displayed(self, name: str) -> None:
        """Show what the DMD has been sent."""
        dark = "; dark" if name == "all off" else ""
        self.displayed.setText(f"{name}, since {time.strftime('%H:%M:%S')}{dark}")

    def load(self, path: Path) -> None:
        """Send a file's field."""
        try:
            self.wanted.emit(load_input(path, self._shape), path.name)
        except UserError as error:
            self.displayed.setText(f"not shown: {error}")

    def _button(self, name: str, text: str, tip: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"dmd_{name}")
        button.setToolTip(tip)
        button.clicked.connect(act)
        self._buttons.append(button)
        return button

    def _all_on(self) -> None:
        self.wanted.emit(uniform(self._shape, 1.0), "all on")

    def _all_off(self) -> None:
        self.wanted.emit(uniform(self._shape, 0.0), "all off")

    def _checker(self) -> None:
        if self.cell.commit():
            cell = self.cell.value()
            self.wanted.emit(checker(self._shape, cell), f"checker of {cell} px")

    def _choose(self) -> None:
        choose_file(self, "Field of the DMD", Path.cwd(), (INPUT_FILTER,), self.load)
