"""One device of the bench: its values, when they were true, and fields for those that can be set."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QGroupBox, QHBoxLayout

from drivers.types import Frame
from gui import style
from gui.panels.power_guard import PowerGuard
from gui.widgets.number_field import NumberField
from gui.widgets.number_text import write_number
from gui.widgets.plain_label import PlainLabel
from labdiff.engine.status import DeviceState, Setting, roi_label

TITLES = {
    "slm": "SLM",
    "camera": "Camera",
    "laser": "Laser",
    "dmd": "DMD",
    "shutter": "Shutter",
    "meter": "Power meter",
}
SETTABLE = {("camera", "exposure"), ("laser", "power")}
UNKNOWN = "?"


class DeviceGroup(QGroupBox):
    """Shows what a device reports beside what was requested of it.

    The last line says when the values were read: while a job runs only the job uses the device, and what a
    camera's frames say of it is newer.

    Args:
        device: The device.

    Attributes:
        wanted: Emitted with a setting's name and the value that was entered.
    """

    wanted = Signal(str, float)

    def __init__(self, device: DeviceState) -> None:
        super().__init__(TITLES.get(device.kind, device.kind))
        self.device = device
        self._busy = False
        self._read_at = self._frame_at = ""
        self._fields: dict[str, NumberField] = {}
        self._readings: dict[str, PlainLabel] = {}
        self._guard: PowerGuard | None = None
        self.form = QFormLayout(self)
        name = PlainLabel(f"{device.name} ({device.driver})")
        name.setObjectName(f"{device.kind}_name")
        name.setWordWrap(True)  # however long it is, it does not widen the panel
        self.form.addRow(name)
        for setting in device.settings:
            self._add_setting(setting)
        self._problem = PlainLabel()
        self._problem.setWordWrap(True)
        self._problem.setObjectName(f"{device.kind}_problem")
        self._times = PlainLabel()
        self._times.setObjectName(f"{device.kind}_read_at")
        self._times.setToolTip("When the values above were true")
        self.form.addRow(self._problem)
        self.form.addRow(self._times)
        style.style.changed.connect(self._paint)
        self._paint()
        self.show_device(device)

    @property
    def connected(self) -> bool:
        """True if the device answered when it was read last."""
        return self.device.connected

    def fits(self, device: DeviceState) -> bool:
        """Return whether it is the same device, with the same settings or none because it is silent."""
        mine = self.device.kind, self.device.driver, self.device.name
        same = mine == (device.kind, device.driver, device.name)
        return same and (
            not device.connected or {s.name for s in device.settings} == set(self._readings)
        )

    def show_device(self, device: DeviceState) -> None:
        """Show what the device has just reported; nothing is known of one that does not answer."""
        self.device = device
        known = {setting.name: setting for setting in device.settings}
        for name, reading in self._readings.items():
            if name in known:
                self._show_setting(known[name])
            else:
                reading.setText(self._reading(name, UNKNOWN))
        self._problem.setText(device.problem)
        self._problem.setVisible(bool(device.problem))
        if device.connected:
            self._read_at, self._frame_at = time.strftime("%H:%M:%S"), ""
        self._show_times()

    def show_frame(self, frame: Frame) -> None:
        """Show what a frame says of its camera, which is newer than what was read of it."""
        for name, value in (
            ("exposure", write_number(frame.exposure_ms, "ms", 5)),
            ("ROI", roi_label(frame.roi)),
        ):
            if name in self._readings:
                self._readings[name].setText(self._reading(name, value))
        self._frame_at = time.strftime("%H:%M:%S")
        self._show_times()

    def set_busy(self, busy: bool) -> None:
        """Lock the fields while a job uses the device."""
        self._busy = busy
        if busy:
            self.withdraw_question()
        for field in self._fields.values():
            field.setEnabled(not busy)
        self._show_times()

    def enter(self, name: str, value: float) -> None:
        """Enter a value in the field of a setting, as by hand; nothing if there is no such field."""
        if name in self._fields:
            self._fields[name].setValue(value)

    def withdraw_question(self) -> None:
        """Close the question whether to raise the power; nothing is sent."""
        if self._guard is not None:
            self._guard.withdraw()

    def _add_setting(self, setting: Setting) -> None:
        kind, name = self.device.kind, setting.name
        label = name[0].upper() + name[1:]
        reading = PlainLabel()
        reading.setObjectName(f"{kind}_{name}_actual".replace(" ", "_").lower())
        self._readings[name] = reading
        if (kind, name) not in SETTABLE:
            self.form.addRow(label, reading)
            return
        low, high = _limits(setting)
        field = NumberField(
            f"{kind}_{name}",
            setting.requested or low,
            low,
            high,
            setting.unit,
            tip="The device reports beside it what it applies",
        )
        send = partial(self.wanted.emit, name)
        if kind == "laser":
            self._guard = PowerGuard(field, send)
        else:
            field.valueChanged.connect(send)
        self._fields[name] = field
        # The reading may get longer; the panel does not move then.
        reading.setMinimumWidth(self.fontMetrics().horizontalAdvance("is 0.00000 mW"))
        line = QHBoxLayout()
        line.addWidget(field, 1)
        line.addWidget(reading)
        self.form.addRow(label, line)

    def _show_setting(self, setting: Setting) -> None:
        name, field = setting.name, self._fields.get(setting.name)
        text = UNKNOWN if setting.actual is None else write_number(setting.actual, setting.unit, 5)
        if setting.text:
            text = setting.text
        self._readings[name].setText(self._reading(name, text))
        if field is None:
            return
        field.setRange(*_limits(setting))
        if self._guard is not None and setting.actual is not None:
            self._guard.set_present(setting.actual)
        if setting.requested is not None and not (self._guard and self._guard.asking):
            field.show_value(setting.requested)

    def _reading(self, name: str, text: str) -> str:
        return f"is {text}" if name in self._fields else text

    def _show_times(self) -> None:
        text = f"read at {self._read_at}" if self._read_at else "not read yet"
        if self._frame_at:
            text += f"; frame of {self._frame_at}"
        elif self._busy:
            text += ", before the job"
        self._times.setText(text)

    def _paint(self) -> None:
        self._problem.setStyleSheet(f"color: {style.theme().bad}")
        self._times.setStyleSheet(f"color: {style.theme().quiet}")


def _limits(setting: Setting) -> tuple[float, float]:
    """Return the limits of a setting; where a device names none, those of any number."""
    low = setting.low if setting.low is not None else 0.0
    return low, setting.high if setting.high is not None else 1e6
