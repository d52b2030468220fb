"""A pattern from a file: as it is, or placed and scaled where it has another size than the SLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QPushButton, QWidget

from gui.slm_patterns.pattern_file import READ_FILTER, load_pattern, range_note
from gui.slm_patterns.placement import centred, fitted, placed
from gui.widgets.background import Background
from gui.widgets.dialogs import choose_file
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.plain_label import PlainLabel

MOST_PX = 20_000


class FilePage(QWidget):
    """Reads pattern files, and places those of another size.

    Args:
        background: Reads them beside the window's thread.

    Attributes:
        loaded: Emitted with the panel's pattern, its name, and a remark, which may be empty.
        problem: Emitted with why a file or a number is not used.
    """

    loaded = Signal(object, str, str)
    problem = Signal(str)

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._shape: tuple[int, int] | None = None
        self._pattern: npt.NDArray[np.float32] | None = None
        self._name = ""
        self.load = QPushButton("Load...")
        self.load.setObjectName("slm_load")
        self.load.setToolTip(
            "Read a .npy of radians, or a grey picture of 256 or 65536 levels a turn."
        )
        self.load.clicked.connect(self._ask_load)
        self.other_size = QCheckBox("Place a file of another size")
        self.other_size.setObjectName("slm_other_size")
        self.other_size.setToolTip("Else a file has to have the size of the SLM")
        self.other_size.toggled.connect(self._enable)
        self.found = PlainLabel("no file")
        self.found.setObjectName("slm_file")
        self.found.setWordWrap(True)
        tip = "Panel's pixels per pixel of the file; pixels are repeated or left out, never mixed."
        self.scale = NumberField("slm_file_scale", 1.0, 0.01, 1000.0, step=0.1, tip=tip)
        self.top = _edge("slm_file_top", "row")
        self.left = _edge("slm_file_left", "column")
        self.fit = QPushButton("Fit")
        self.fit.setObjectName("slm_file_fit")
        self.fit.setToolTip("As large as the panel, centred")
        self.fit.clicked.connect(self._fit)
        self.centre = QPushButton("Centre")
        self.centre.setObjectName("slm_file_centre")
        self.centre.setToolTip("In the middle, at the scale above")
        self.centre.clicked.connect(self._centre)
        buttons = QHBoxLayout()
        buttons.addWidget(self.fit)
        buttons.addWidget(self.centre)
        form = QFormLayout(self)
        form.addRow(self.load)
        form.addRow("File", self.found)
        form.addRow(self.other_size)
        form.addRow("Scale", self.scale)
        form.addRow("Top", self.top)
        form.addRow("Left", self.left)
        form.addRow(buttons)
        for field in (self.scale, self.top, self.left):
            field.valueChanged.connect(lambda _: self._place())
        self._enable()

    def set_panel(self, shape: tuple[int, int] | None) -> None:
        """Set the (height, width) of the SLM; None: no bench is connected, and the file is forgotten."""
        if shape is None:
            self._pattern, self._name = None, ""
            self.found.setText("no file")
        self._shape = shape
        self._enable()

    def load_file(self, path: Path) -> None:
        """Read a file."""
        shape = self._shape
        if shape is not None:
            wanted = None if self.other_size.isChecked() else shape
            self._background.start(
                lambda: load_pattern(path, wanted),
                lambda pattern: self._on_loaded(pattern, path.name, shape),
                self.problem.emit,
            )

    def _on_loaded(
        self, pattern: npt.NDArray[np.float32], name: str, shape: tuple[int, int]
    ) -> None:
        if shape != self._shape:
            return  # it was read for another bench
        self._pattern, self._name = pattern, name
        self.found.setText(f"{name}, {pattern.shape[1]} x {pattern.shape[0]} pixels")
        self._enable()
        if pattern.shape == shape:
            self._set_place(1.0, (0, 0))
        else:
            self._centre()
        self._place()

    def _fit(self) -> None:
        if self._pattern is not None and self._shape is not None:
            self._set_place(*fitted(self._pattern.shape, self._shape))
            self._place()

    def _centre(self) -> None:
        if self._pattern is not None and self._shape is not None and self.scale.commit():
            scale = self.scale.value()
            self._set_place(scale, centred(self._pattern.shape, self._shape, scale))
            self._place()

    def _set_place(self, scale: float, corner: tuple[int, int]) -> None:
        for field, value in ((self.scale, scale), (self.top, corner[0]), (self.left, corner[1])):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)

    def _place(self) -> None:
        pattern, shape = self._pattern, self._shape
        if pattern is None or shape is None:
            return
        corner, scale = (self.top.value(), self.left.value()), self.scale.value()
        if (pattern.shape, corner, scale) == (shape, (0, 0), 1.0):
            panel = pattern
        else:
            try:
                panel = placed(pattern, shape, corner, scale)
            except ValueError as error:
                self.problem.emit(f"{self._name}: {error}")
                return
        self.loaded.emit(panel, self._name, range_note(pattern))

    def _enable(self) -> None:
        self.load.setEnabled(self._shape is not None)
        movable = self._pattern is not None and self.other_size.isChecked()
        for control in (self.scale, self.top, self.left, self.fit, self.centre):
            control.setEnabled(movable)

    def _ask_load(self) -> None:
        choose_file(self, "Load a pattern", Path.cwd(), (READ_FILTER,), self.load_file)


def _edge(name: str, what: str) -> CountField:
    tip = f"The panel's {what} on which the file's first one lies; negative: it is cut off."
    return CountField(name, 0, -MOST_PX, MOST_PX, "px", tip=tip)
