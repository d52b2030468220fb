"""The camera's settings: exposure, gain, region of interest, and how fast frames come."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from drivers.types import Roi
from gui.widgets.form_columns import align, labels_of
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.number_text import write_number
from gui.widgets.page import Note, button
from gui.widgets.plain_label import PlainLabel
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState, ExposureFound, Setting

EDGES = ("top", "left", "height", "width")
SEARCHING = "finding the exposure ..."
LONGEST_ROI_PX = 20_000


class SettingsPage(QWidget):
    """Sets the camera, and says what it applies.

    Attributes:
        command_wanted: Emitted with a command of `labdiff.engine.commands`.
    """

    command_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._roi: Roi | None = None
        self._sensor = (0, 0)
        self._labels: list[QWidget] = []
        self.exposure = NumberField(
            "desk_exposure", 1.0, 0.0, 1e6, "ms", tip="The camera's exposure time; sent on Return."
        )
        self.exposure.valueChanged.connect(lambda ms: self.command_wanted.emit(ask.SetExposure(ms)))
        self.auto = button(
            "desk_auto_exposure",
            "Auto",
            "Find the exposure at which the brightest pixel is at about 80 % of full scale",
            self._find_exposure,
        )
        self.found = Note("desk_exposure_found", 2)
        self.gain = NumberField(
            "desk_gain",
            0.0,
            0.0,
            100.0,
            "dB",
            step=1.0,
            tip="Calibrations hold for the gain at which they were measured.",
        )
        self.gain.valueChanged.connect(lambda gain: self.command_wanted.emit(ask.SetGain(gain)))
        self.binning = PlainLabel("none")
        self.binning.setObjectName("desk_binning")
        self.binning.setToolTip(
            "Pixels that the camera puts together: camera.options.binning of the bench file, where the "
            "driver has it. All calibrations are in these pixels; Picture, Show squares of, bins what is "
            "shown only."
        )
        self.rate = PlainLabel("no frames")
        self.rate.setObjectName("desk_frame_rate")
        line = QHBoxLayout()
        line.addWidget(self.exposure, 1)
        line.addWidget(self.auto)
        form = QFormLayout()
        form.addRow("Exposure", line)
        rest = self._form = QFormLayout()
        rest.addRow("Gain", self.gain)
        rest.addRow("Binning", self.binning)
        rest.addRow("Frame rate", self.rate)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addLayout(self._roi_form())
        layout.addLayout(rest)
        layout.addWidget(self.roi_note)
        layout.addWidget(self.found)
        layout.addStretch(1)
        align([*labels_of(form), *self._labels, *labels_of(rest)])
        self._form.setRowVisible(self.gain, False)

    def _roi_form(self) -> QGridLayout:
        grid = QGridLayout()
        self.edges: dict[str, CountField] = {}
        for place, edge in enumerate(EDGES):
            low = 0 if edge in ("top", "left") else 1
            what = {"top": "First row", "left": "First column"}.get(edge, edge.capitalize())
            field = CountField(
                f"desk_roi_{edge}",
                low,
                low,
                LONGEST_ROI_PX,
                "px",
                tip=f"{what} of the camera's window, in raw-sensor pixels; Set ROI sends all four.",
            )
            self.edges[edge] = field
            label = PlainLabel(f"ROI {edge} (px)")
            self._labels.append(label)
            grid.addWidget(label, place, 0)
            grid.addWidget(field, place, 1)
        presets: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
            ("full", "Whole", "The whole sensor", lambda: self._send_centred(1)),
            ("half", "Half", "Half of height and width, centred", lambda: self._send_centred(2)),
            ("quarter", "Quarter", "A quarter of height and width, centred",
             lambda: self._send_centred(4)),
            ("output", "Output", "Around the output region, as the registration found it last",
             lambda: self.command_wanted.emit(ask.SetOutputRoi())),
        )  # fmt: skip
        self.set_roi = button("desk_roi_set", "Set ROI", "Send the four numbers", self._send_typed)
        self._buttons: list[QPushButton] = [self.auto, self.set_roi]
        column = QVBoxLayout()
        for name, text, tip, act in presets:
            made = button(f"desk_roi_{name}", text, tip, act)
            self._buttons.append(made)
            column.addWidget(made)
        grid.addLayout(column, 0, 2, 4, 1)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.set_roi, 4, 1, 1, 2)
        self.roi_note = Note("desk_roi_note", 2)
        return grid

    def show_state(self, state: BenchState, busy: bool) -> None:
        """Show what the camera reports; while a job uses it nothing can be set."""
        camera = next((d for d in state.devices if d.kind == "camera"), None)
        known = {} if camera is None else {setting.name: setting for setting in camera.settings}
        for field, setting in ((self.exposure, "exposure"), (self.gain, "gain")):
            if setting in known:
                _fill(field, known[setting])
        self._form.setRowVisible(self.gain, "gain" in known)
        self.binning.setText(known["binning"].text if "binning" in known else "none")
        if state.roi is not None and state.roi != self._roi:
            self._show_roi(state.roi)
        self._sensor = state.sensor_shape
        free = bool(known) and not busy
        for control in (self.exposure, self.gain, *self.edges.values(), *self._buttons):
            control.setEnabled(free)
        if busy:
            self.settle()

    def show_found(self, found: ExposureFound) -> None:
        """Show which exposure was found."""
        self.found.setText(describe_found(found))

    def settle(self) -> None:
        """Show no search for an exposure any more: it has failed, and a notice says why."""
        if self.found.text() == SEARCHING:
            self.found.clear()

    def show_rate(self, frames_per_s: float) -> None:
        """Show how fast frames come."""
        self.rate.setText(f"{frames_per_s:.1f} frames/s" if frames_per_s else "no frames")

    def reset(self) -> None:
        """Forget the camera."""
        self.show_state(BenchState("", (), False, False), busy=False)
        self._roi = None
        for field in (self.exposure, self.gain, *self.edges.values()):
            field.restore()
        self.exposure.show_value(1.0)
        for edge, field in self.edges.items():
            field.show_value(0 if edge in ("top", "left") else 1)
        for label in (self.found, self.roi_note):
            label.clear()
        self.show_rate(0.0)

    def _find_exposure(self) -> None:
        self.found.setText(SEARCHING)
        self.command_wanted.emit(ask.AutoExpose())

    def _send_centred(self, parts: int) -> None:
        """Ask for a part of the height and of the width, in the middle of the sensor."""
        height, width = (max(1, length // parts) for length in self._sensor)
        top, left = (self._sensor[0] - height) // 2, (self._sensor[1] - width) // 2
        self._send(Roi(top, left, height, width))

    def _send_typed(self) -> None:
        refused = [field.refusal for field in self.edges.values() if not field.commit()]
        if refused:
            self.roi_note.setText(f"{refused[0]}. Nothing was sent.")
            return
        top, left, height, width = (self.edges[edge].value() for edge in EDGES)
        self._send(Roi(top, left, height, width))

    def _send(self, roi: Roi) -> None:
        height, width = self._sensor
        if roi.top + roi.height > height or roi.left + roi.width > width:
            self.roi_note.setText(
                f"ends at row {roi.top + roi.height}, column {roi.left + roi.width}; the sensor has "
                f"{height} x {width}. Nothing was sent."
            )
            return
        self.roi_note.clear()
        self._roi = (
            None  # what the camera makes of it is shown, also where that is the window before
        )
        whole = roi == Roi(0, 0, height, width)
        self.command_wanted.emit(ask.SetRoi(None if whole else roi))

    def _show_roi(self, roi: Roi) -> None:
        self._roi = roi
        for edge, value in zip(EDGES, (roi.top, roi.left, *roi.shape), strict=True):
            self.edges[edge].restore()
            self.edges[edge].show_value(value)


def describe_found(found: ExposureFound) -> str:
    """Return which exposure was found, how bright the brightest pixel is then, and what would help."""
    fill = "clipped" if found.fill >= 1.0 else f"at {100.0 * found.fill:.0f} % of full scale"
    exposure = write_number(found.exposure_ms, "ms", 4)
    text = f"exposure {exposure} at {found.power_mw:.4g} mW: brightest pixel {fill}"
    return f"{text}; {found.remedy}" if found.remedy else text


def _fill(field: NumberField, setting: Setting) -> None:
    """Show what was requested of a setting, within its limits."""
    if setting.low is not None and setting.high is not None:
        field.setRange(setting.low, setting.high)
    if setting.requested is not None:
        field.show_value(setting.requested)
