"""The SLM: what stands on it, what could, and the layer sets that were learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.panels.slm_forms import Make, TestPatterns
from gui.panels.slm_gallery import Gallery
from gui.slm_patterns.pattern_file import load_pattern, save_pattern
from gui.style import style, theme
from gui.widgets.background import Background
from gui.widgets.phase_view import PhaseView
from labdiff.errors import UserError

FILES = "Patterns (*.npy *.png)"
Phase = npt.NDArray[np.floating]


class SlmPanel(QWidget):
    """pattern_wanted: a phase for the whole panel, (height, width), rad. flat_wanted: a flat one."""

    pattern_wanted = Signal(object)
    flat_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("slm_panel")
        self._shape: tuple[int, int] | None = None
        self._layers: Phase | None = None
        self._preview_name = ""
        self._why_busy = ""
        self._waiting: tuple[str, Make] | None = None
        self._background = Background(self)
        self._icons: list[tuple[QPushButton, str]] = []
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setObjectName("slm_split")
        split.addWidget(self._displayed_box())
        split.addWidget(self._preview_box())
        self.tabs = QTabWidget()
        self.tabs.setObjectName("slm_tabs")
        self.tests = TestPatterns()
        self.tests.changed.connect(self._compute)
        self.gallery = Gallery()
        self.gallery.chosen.connect(self._preview_layer)
        self.tabs.addTab(self.tests, "Test patterns")
        self.tabs.addTab(self.gallery, "Layer sets")
        split.addWidget(self.tabs)
        split.setChildrenCollapsible(False)
        for place in range(split.count()):
            split.setStretchFactor(place, 1)
        self.notice = QLabel()
        self.notice.setObjectName("slm_notice")
        self.notice.setWordWrap(True)
        self.notice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notice.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(split, 1)
        layout.addWidget(self.notice)
        style.changed.connect(self._colour)
        self._colour()
        self._enable()

    def set_bench(
        self, shape: tuple[int, int] | None, wavelength_nm: float = 0.0, pixel_pitch_um: float = 0.0
    ) -> None:
        """The connected bench's SLM, (height, width), its pitch and its light; None: there is none."""
        self._shape = shape
        self.displayed.show_phase(None)
        self.displayed_words.setText("nothing shown yet" if shape else "no bench connected")
        self.preview.show_phase(None)
        if shape is not None:
            self.tests.set_panel(shape, wavelength_nm, pixel_pitch_um)
        self._enable()

    def set_pattern(self, phase_rad: Phase, name: str = "") -> None:
        """What now stands on the SLM, (height, width), rad; an array that nobody writes to any more."""
        self.displayed.show_phase(phase_rad)
        size = f"{phase_rad.shape[1]} x {phase_rad.shape[0]} pixels"
        self.displayed_words.setText(f"{name}, {size}" if name else size)
        self._enable()

    def set_layer_sets(self, phases_rad: Phase) -> None:
        """The layers learnt so far, (M, N, h, w), rad."""
        self._layers = phases_rad
        self.gallery.set_layer_sets(phases_rad)

    def set_busy(self, why: str) -> None:
        """While a job owns the SLM nothing else is sent to it; why: in words, "" when it is free."""
        self._why_busy = why
        self._enable()

    def tell(self, words: str) -> None:
        """Say what went wrong; "" takes it back."""
        self.notice.setText(words)
        self.notice.setVisible(bool(words))

    def load_file(self, path: Path) -> None:
        """Show a file's pattern as the preview."""
        shape = self._shape
        if shape is not None:
            self._start(path.name, lambda: load_pattern(path, shape))

    def save_file(self, path: Path) -> None:
        """Write what stands on the SLM."""
        phase = self.displayed.phase_rad
        if phase is not None:
            self._background.start(
                lambda: save_pattern(path, phase), lambda _: self.tell(""), self.tell
            )

    def _displayed_box(self) -> QWidget:
        box = QGroupBox("On the SLM")
        self.displayed = PhaseView("slm_displayed")
        self.displayed_words = QLabel("no bench connected")
        self.displayed_words.setObjectName("slm_displayed_words")
        self.flat = self._button("slm_flat", "Flat", "mdi6.square-outline", "Show a flat pattern.")
        self.flat.clicked.connect(self.flat_wanted)
        self.save = self._button(
            "slm_save", "Save...", "mdi6.content-save", "Write this pattern as .npy or .png."
        )
        self.save.clicked.connect(self._ask_save)
        _column(box, self.displayed, self.displayed_words, self.flat, self.save)
        return box

    def _preview_box(self) -> QWidget:
        box = QGroupBox("Preview")
        self.preview = PhaseView("slm_preview")
        self.preview_words = QLabel()
        self.preview_words.setObjectName("slm_preview_words")
        self.show_it = self._button(
            "slm_show", "Show on SLM", "mdi6.arrow-left-bold", "Send this pattern to the SLM."
        )
        self.show_it.clicked.connect(self._send)
        self.follow = QCheckBox("Follow")
        self.follow.setObjectName("slm_follow")
        self.follow.setToolTip("Send every change of a test pattern at once.")
        self.load = self._button("slm_load", "Load...", "mdi6.folder-open", "Read a .npy or .png.")
        self.load.clicked.connect(self._ask_load)
        _column(box, self.preview, self.preview_words, self.show_it, self.follow, self.load)
        return box

    def _button(self, name: str, words: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(words)
        button.setObjectName(name)
        button.setToolTip(tip)
        self._icons.append((button, icon))
        return button

    def _compute(self) -> None:
        """The newest numbers; those that were overtaken meanwhile are not computed."""
        if self._shape is None:
            return
        waiting = self._waiting is not None
        self._waiting = (self.tests.kind.currentText(), self.tests.make())
        if not waiting:
            self._start("", self._make_newest)

    def _make_newest(self) -> Phase:
        assert self._waiting is not None
        (name, make), self._waiting = self._waiting, None
        self._preview_name = name
        try:
            return make()
        except ValueError as error:
            raise UserError(f"{name}: {error}") from None

    def _start(self, name: str, make: Make) -> None:
        self._background.start(make, lambda phase: self._take(phase, name), self.tell)

    def _take(self, phase: Phase, name: str) -> None:
        self.tell("")
        self._show_preview(phase, name or self._preview_name)
        if not name and self.follow.isChecked():
            self._send()

    def _show_preview(self, phase: Phase, name: str) -> None:
        self.preview.show_phase(phase)
        self.preview_words.setText(f"{name}, {phase.shape[1]} x {phase.shape[0]} pixels")
        self._enable()

    def _preview_layer(self, layer_set: int, layer: int) -> None:
        if self._layers is not None:
            name = f"Layer set {layer_set + 1}, layer {layer + 1}"
            self._show_preview(self._layers[layer_set, layer], name)

    def _send(self) -> None:
        phase = self.preview.phase_rad
        if phase is not None and self.show_it.isEnabled():
            self.pattern_wanted.emit(phase)

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a pattern", "", FILES)
        if path:
            self.load_file(Path(path))

    def _ask_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the pattern", "pattern.npy", FILES)
        if path:
            self.save_file(Path(path))

    def _enable(self) -> None:
        free = self._shape is not None and not self._why_busy
        phase = self.preview.phase_rad
        fits = phase is not None and phase.shape == self._shape
        self.show_it.setEnabled(free and fits)
        self.flat.setEnabled(free)
        self.load.setEnabled(self._shape is not None)
        self.save.setEnabled(self.displayed.phase_rad is not None)
        why = self._why_busy or ("" if fits or phase is None else "A layer is a part of the panel.")
        self.show_it.setToolTip(why or "Send this pattern to the SLM.")

    def _colour(self) -> None:
        for button, icon in self._icons:
            button.setIcon(qta.icon(icon, color=theme().text, color_disabled=theme().disabled))
        self.notice.setStyleSheet(f"color: {theme().bad};")


def _column(box: QGroupBox, view: QWidget, words: QLabel, *buttons: QWidget) -> None:
    row = QHBoxLayout()
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    layout = QVBoxLayout(box)
    layout.addWidget(view, 1)
    layout.addWidget(words)
    layout.addLayout(row)
