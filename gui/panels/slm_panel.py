"""The SLM: the pattern displayed, a preview of another one, and the layer sets that were learnt."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGroupBox,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from drivers.types import Roi
from gui.panels.slm_file import FilePage
from gui.panels.slm_forms import Make, TestPatterns
from gui.panels.slm_gallery import Gallery
from gui.panels.slm_hologram import HologramPage
from gui.panels.slm_split import SlmSplit
from gui.slm_patterns.pattern_file import WRITE_FILTER, save_pattern
from gui.slm_patterns.placement import in_patches
from gui.style import style, theme
from gui.widgets.background import Background
from gui.widgets.dialogs import choose_new_file
from gui.widgets.page import PageArea
from gui.widgets.phase_view import PhaseView
from gui.widgets.plain_label import PlainLabel
from labdiff.engine import commands as ask
from labdiff.engine.status import ADDED, CORRECTION, BenchState
from labdiff.errors import UserError

Phase = npt.NDArray[np.floating]

GAP_PX = 6
NO_MAP = "The bench file names no flatness map of the SLM's maker: slm.options.correction."


class SlmPanel(QWidget):
    """Shows and sends patterns.

    Attributes:
        command_wanted: Emitted with a command of `labdiff.engine.commands`.
    """

    command_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("slm_panel")
        self._shape: tuple[int, int] | None = None
        self._layers: Phase | None = None
        self._preview_name = ""
        self._previews_test = self._sends_next = False
        self._busy_reason = self._displayed_name = self._displayed_at = ""
        self._displaying_job = self._has_correction = False
        self._waiting: list[tuple[str, Make, tuple[Roi, ...]]] = []
        self._patches: tuple[Roi, ...] = ()
        self._first_layer = 0
        self._background = Background(self)
        self._icons: list[tuple[QPushButton, str]] = []
        self.tabs = QTabWidget()
        self.tabs.setObjectName("slm_tabs")
        self.tests = TestPatterns()
        self.tests.changed.connect(self._compute)
        self.gallery = Gallery()
        self.gallery.chosen.connect(self._preview_layer)
        self.gallery.set_chosen.connect(self._preview_set)
        self.file = FilePage(self._background)
        self.file.loaded.connect(self._on_loaded)
        self.file.problem.connect(self.show_problem)
        self.load, self.load_file = self.file.load, self.file.load_file
        self.hologram = HologramPage()
        self.hologram.command_wanted.connect(self.command_wanted)
        for page, title in (
            (self.tests, "Test patterns"),
            (self.gallery, "Layer sets"),
            (self.file, "File"),
            (self.hologram, "Hologram"),
        ):
            scrolls_itself = page in (self.tests, self.gallery)
            self.tabs.addTab(page if scrolls_itself else PageArea(page), title)
        split = SlmSplit(self._displayed_box(), self._preview_box(), self.tabs)
        self.notice = PlainLabel()
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
        """Set the SLM of the connected bench.

        Args:
            shape: (height, width), px; None if no bench is connected.
            wavelength_nm: Wavelength of the laser.
            pixel_pitch_um: Pitch of the SLM's pixels.
        """
        self._shape = shape
        self.file.set_panel(shape)
        self._displayed_name = self._displayed_at = ""
        self.displayed.show_phase(None)
        self._describe_displayed()
        self.preview.show_phase(None)
        self.preview_label.clear()
        if shape is None:
            self.set_patches((), input_patch=False)
            self.tests.forget_panel()
        else:
            self.tests.set_panel(shape, wavelength_nm, pixel_pitch_um)
        self._enable()

    def set_patches(self, patches: tuple[Roi, ...], input_patch: bool) -> None:
        """Set where the patches lie on the SLM.

        Args:
            patches: In the order in which light meets them.
            input_patch: The first one writes the input; the others are layers.
        """
        self._patches, self._first_layer = patches, int(input_patch)
        layers = [f"layer {number + 1}" for number in range(len(patches) - self._first_layer)]
        names = ("input", *layers) if input_patch and patches else tuple(layers)
        self.tests.set_patches(patches, names)
        self.hologram.set_patch(patches[0].shape if patches else None)
        for view in (self.displayed, self.preview):
            view.set_outlines(patches, names, self._shape)

    def show_state(self, state: BenchState) -> None:
        """Show what the SLM reports of its maker's flatness map."""
        slm = next((device for device in state.devices if device.kind == "slm"), None)
        known = () if slm is None else slm.settings
        found = next((setting for setting in known if setting.name == CORRECTION), None)
        self._has_correction = found is not None
        self.correction.setChecked(found is not None and found.text == ADDED)
        self._enable()

    def reset(self) -> None:
        """Forget the patterns and layers of the last bench."""
        self._waiting.clear()
        self._sends_next = self._previews_test = False
        self._layers = None
        self.gallery.clear()
        self.show_problem("")
        self.set_busy("")
        self.hologram.reset()
        self._has_correction = False
        self.correction.setChecked(False)
        self.set_bench(None)

    def set_pattern(self, phase_rad: Phase, name: str = "") -> None:
        """Show the pattern that the SLM displays.

        Args:
            phase_rad: (height, width), rad; an array that nobody writes to any more.
            name: Name of the pattern.
        """
        self.displayed.show_phase(phase_rad)
        size = f"{phase_rad.shape[1]} x {phase_rad.shape[0]} pixels"
        self._displayed_name = f"{name}, {size}" if name else size
        self._displayed_at = time.strftime("%H:%M:%S")
        self._displaying_job = bool(self._busy_reason)
        self._describe_displayed()
        self._enable()
        follows = self.follow.isChecked() or bool(self._busy_reason)
        if self._previews_test and self.tests.regions and not follows:
            self._compute()  # the rest of the panel is what the SLM displays now

    def set_layer_sets(self, phases_rad: Phase) -> None:
        """Show the layers learnt so far, (M, N, h, w), rad."""
        self._layers = phases_rad
        self.gallery.set_layer_sets(phases_rad)

    def set_busy(self, reason: str) -> None:
        """Send nothing to the SLM while a job uses it.

        Args:
            reason: Why nothing can be sent; "" if something can.
        """
        self._busy_reason = reason
        # What a job displays between its reports is not known, nor what it has left.
        self._displaying_job = self._displaying_job or bool(reason)
        self.hologram.set_busy(bool(reason))
        self._describe_displayed()
        self._enable()

    def _describe_displayed(self) -> None:
        """Say what the SLM displays, and when that was true."""
        if not self._displayed_name:
            known = "not known yet" if self._shape else "no bench connected"
            self.displayed_label.setText(known)
        elif self._displaying_job:
            self.displayed_label.setText(f"{self._displayed_name}; at {self._displayed_at}")
        else:
            self.displayed_label.setText(f"{self._displayed_name}; since {self._displayed_at}")

    def show_problem(self, message: str) -> None:
        """Show what went wrong; "" hides it."""
        self.notice.setText(message)
        self.notice.setVisible(bool(message))

    def save_file(self, path: Path) -> None:
        """Save the pattern that the SLM displays."""
        phase = self.displayed.phase_rad
        if phase is not None:
            self._background.start(
                lambda: save_pattern(path, phase),
                lambda _: self.show_problem(""),
                self.show_problem,
            )

    def _displayed_box(self) -> QWidget:
        box = QGroupBox("On the SLM")
        self.displayed = PhaseView("slm_displayed")
        self.displayed_label = PlainLabel("no bench connected")
        self.displayed_label.setObjectName("slm_displayed_name")
        self.flat = self._button(
            "slm_flat", "Flat", "mdi6.square-outline", "Display a flat pattern."
        )
        self.flat.clicked.connect(lambda: self.command_wanted.emit(ask.ShowPhase(None)))
        self.save = self._button(
            "slm_save", "Save...", "mdi6.content-save", "Write this pattern as .npy or .png."
        )
        self.save.clicked.connect(self._ask_save)
        self.correction = QCheckBox("Flatness map")
        self.correction.setObjectName("slm_correction")
        self.correction.clicked.connect(lambda on: self.command_wanted.emit(ask.SetCorrection(on)))
        _column(box, self.displayed, self.displayed_label, self.flat, self.save, self.correction)
        return box

    def _preview_box(self) -> QWidget:
        box = QGroupBox("Preview")
        self.preview = PhaseView("slm_preview")
        self.preview_label = PlainLabel()
        self.preview_label.setObjectName("slm_preview_name")
        self.show_it = self._button(
            "slm_show", "Show on SLM", "mdi6.arrow-left-bold", "Send this pattern to the SLM."
        )
        self.show_it.clicked.connect(self._send)
        self.follow = QCheckBox("Follow")
        self.follow.setObjectName("slm_follow")
        self.follow.setToolTip("Send every change of a test pattern at once.")
        _column(box, self.preview, self.preview_label, self.show_it, self.follow)
        return box

    def _button(self, name: str, text: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setToolTip(tip)
        self._icons.append((button, icon))
        return button

    def _compute(self) -> None:
        """Compute the pattern of the newest parameters; those overtaken meanwhile are not computed."""
        if self._shape is None:
            return
        starts = not self._waiting
        self._waiting[:] = [(self.tests.title, self.tests.make(), self.tests.regions)]
        if starts:
            self._background.start(self._make_newest, self._on_made, self.show_problem)

    def _make_newest(self) -> Phase:
        if not self._waiting:
            raise UserError("the bench was closed")
        name, make, regions = self._waiting.pop()
        self._preview_name = name
        try:
            pattern = make()
        except ValueError as error:
            raise UserError(f"{name}: {error}") from None
        if not regions:
            return pattern
        base, shape = self.displayed.phase_rad, self._shape or (0, 0)
        if base is None or base.shape != shape:
            base = np.zeros(shape, np.float32)
        return in_patches(base, [pattern] * len(regions), regions)

    def _on_made(self, phase: Phase) -> None:
        if phase.shape != self._shape:
            return  # it was computed for another bench
        self.show_problem("")
        self._previews_test = True
        self._show_preview(phase, self._preview_name)
        if not self._waiting and (self._sends_next or self.follow.isChecked()):
            self._sends_next = False
            self._send_preview()

    def _on_loaded(self, phase: Phase, name: str, note: str) -> None:
        self._previews_test = False
        self.show_problem(f"{name}: {note}" if note else "")
        self._show_preview(phase, name)

    def _show_preview(self, phase: Phase, name: str) -> None:
        self.preview.show_phase(phase)
        self._preview_name = name
        self.preview_label.setText(f"{name}, {phase.shape[1]} x {phase.shape[0]} pixels")
        self._enable()

    def _preview_layer(self, layer_set: int, layer: int) -> None:
        if self._layers is not None:
            self._previews_test = False
            name = f"Layer set {layer_set + 1}, layer {layer + 1}"
            self._show_preview(self._layers[layer_set, layer], name)

    def _preview_set(self, layer_set: int) -> None:
        """Show all layers of a set as preview, each in its patch; input and what lies between are flat."""
        layers, patches = self._layers, self._patches[self._first_layer :]
        if layers is None or self._shape is None:
            self.show_problem("Layers lie on the patches of an SLM: connect a bench first.")
            return
        found = layers[layer_set]
        size = patches[0].shape if patches else (0, 0)
        if len(found) != len(patches) or found.shape[1:] != size:
            height, width = found.shape[1:]
            self.show_problem(
                f"Layer set {layer_set + 1} has {len(found)} layers of {height} x {width} pixels; this SLM "
                f"has {len(patches)} of {size[0]} x {size[1]}."
            )
            return
        self.show_problem("")
        self._previews_test = False
        flat = np.zeros(self._shape, np.float32)
        self._show_preview(in_patches(flat, list(found), patches), f"Layer set {layer_set + 1}")

    def _send(self) -> None:
        """Send the preview, or that of the parameters that were just entered."""
        refusal = self.tests.refusal() if self._previews_test else ""
        if refusal:
            self.show_problem(f"{refusal}. Nothing was sent to the SLM.")
        elif self._previews_test and self._background.busy:
            self._sends_next = True
        else:
            self._send_preview()

    def _send_preview(self) -> None:
        phase = self.preview.phase_rad
        if phase is not None and self.show_it.isEnabled():
            self.command_wanted.emit(ask.ShowPhase(phase, self._preview_name))

    def _ask_save(self) -> None:
        proposed = Path.cwd() / "pattern.npy"
        choose_new_file(self, "Save the pattern", proposed, WRITE_FILTER, self.save_file)

    def _enable(self) -> None:
        free = self._shape is not None and not self._busy_reason
        phase = self.preview.phase_rad
        fits = phase is not None and phase.shape == self._shape
        self.show_it.setEnabled(free and fits)
        self.flat.setEnabled(free)
        self.correction.setEnabled(free and self._has_correction)
        has = "Add the maker's flatness map to every pattern; what is displayed is displayed anew."
        self.correction.setToolTip(has if self._has_correction else NO_MAP)
        self.save.setEnabled(self.displayed.phase_rad is not None)
        part = "" if fits or phase is None else "A layer is a part of the panel."
        self.show_it.setToolTip(self._busy_reason or part or "Send this pattern to the SLM.")

    def _colour(self) -> None:
        for button, icon in self._icons:
            button.setIcon(qta.icon(icon, color=theme().text, color_disabled=theme().disabled))
        self.notice.setStyleSheet(f"color: {theme().bad};")


def _column(box: QGroupBox, view: QWidget, label: QLabel, *buttons: QWidget) -> None:
    label.setWordWrap(True)
    row = QFlowLayout()  # of several lines where there is little room
    row.setSpacing(GAP_PX)
    height = max(button.sizeHint().height() for button in buttons)
    for button in buttons:
        button.setMinimumHeight(height)
        row.addWidget(button)
    layout = QVBoxLayout(box)
    layout.addWidget(view, 1)
    layout.addWidget(label)
    layout.addLayout(row)
