"""The bench: which one, its devices, the values that were set beside those that the devices report."""

from __future__ import annotations

import time
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from drivers.types import Frame
from gui import style
from gui.panels.device_group import DeviceGroup
from gui.panels.dmd_desk import DmdDesk
from gui.panels.meter_desk import MeterDesk
from gui.panels.preset_box import PresetBox
from gui.widgets.choice import Choice
from gui.widgets.dialogs import choose_file
from gui.widgets.form_columns import align, labels_of
from gui.widgets.monitor_chooser import MonitorChooser
from gui.widgets.number_field import CountField
from gui.widgets.plain_label import PlainLabel
from labdiff.config.bench import SHIPPED, load_bench
from labdiff.config.simulated import with_simulated
from labdiff.engine.status import CONNECT_STEPS, BenchState, DeviceState
from labdiff.errors import UserError

ORDER = ("laser", "shutter", "camera", "dmd", "slm", "meter")
"""Kinds of devices from top to bottom: the light first."""


class BenchPanel(QWidget):
    """Connects a bench, and shows and sets the values of its devices.

    Attributes:
        connect_wanted: Emitted with the bench, the seed, and the address of the SLM's monitor or "".
        disconnect_wanted: Emitted when the bench is to be closed.
        cancel_wanted: Emitted when the bench is not to be opened after all.
        exposure_wanted: Emitted with the exposure, ms.
        input_wanted: Emitted with a field of the DMD, (height, width), 0 ... 1, and its name.
        power_wanted: Emitted with the laser's power, mW.
        emission_wanted: Emitted with whether the laser is to be on.
    """

    connect_wanted = Signal(str, int, str)
    disconnect_wanted = Signal()
    cancel_wanted = Signal()
    exposure_wanted = Signal(float)
    power_wanted = Signal(float)
    input_wanted = Signal(object, str)
    emission_wanted = Signal(bool)

    def __init__(self, bench: str, seed: int) -> None:
        super().__init__()
        self.setObjectName("bench_panel")
        self._busy = False
        self._step, self._waiting_for, self._waits_since_s = 0, "", 0.0
        self._groups: dict[str, DeviceGroup] = {}
        self._desk: DmdDesk | None = None
        self._meter: MeterDesk | None = None
        self._wanted = {
            "camera": lambda _, exposure_ms: self.exposure_wanted.emit(exposure_ms),
            "laser": lambda _, power_mw: self.power_wanted.emit(power_mw),
        }
        self.bench = Choice("bench")
        self.bench.setEditable(True)
        self.bench.addItems(list(dict.fromkeys([bench, *SHIPPED])))
        self.bench.setToolTip("A simulated bench by name, or the path of a bench file")
        self.browse = QToolButton()
        self.browse.setToolTip("Choose a bench file")
        self.browse.clicked.connect(self._browse)
        self.seed = CountField(
            "seed",
            seed,
            0,
            2**31 - 1,
            tip="Which simulated laboratory: its imperfections are drawn from the seed",
        )
        self.connect_button = QPushButton("Connect")
        self.connect_button.setObjectName("connect")
        self.connect_button.setToolTip("Open the bench, or leave it safe and close it")
        self.connect_button.clicked.connect(self._clicked)
        self.emission = QCheckBox("Laser on")
        self.emission.setObjectName("emission")
        self.emission.setToolTip("Switch the laser on or off; F12 switches it off at any time")
        self.emission.setEnabled(False)
        self.emission.clicked.connect(self.emission_wanted)
        self.monitors = MonitorChooser()
        self.monitors.hide()
        self.bench.currentTextChanged.connect(self._bench_chosen)
        choose = QHBoxLayout()
        choose.addWidget(self.bench, 1)
        choose.addWidget(self.browse)
        form = QFormLayout()
        form.addRow("Bench", choose)
        form.addRow("Seed", self.seed)
        self._message = PlainLabel("Choose a bench and connect. The mock benches need no hardware.")
        self._message.setWordWrap(True)
        self.presets = PresetBox()
        self._devices = QVBoxLayout()
        inner = self._inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.addLayout(form)
        layout.addWidget(self.monitors)
        layout.addWidget(self.connect_button)
        layout.addWidget(self._message)
        layout.addWidget(self.emission)
        layout.addWidget(self.presets)
        layout.addLayout(self._devices)
        layout.addStretch(1)
        scroll = self._scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        style.style.changed.connect(self._paint)
        self._paint()
        self._show_connected(False)
        self._bench_chosen(bench)

    @property
    def connected(self) -> bool:
        """True while a bench is open."""
        return bool(self._groups)

    @property
    def connecting(self) -> bool:
        """True while a bench is being opened."""
        return self._step > 0

    def show_connecting(self, step: int, message: str) -> None:
        """Show that a bench is being opened.

        Args:
            step: Number of the step, from 1 to `CONNECT_STEPS`.
            message: What the step does.
        """
        if not self.connecting:
            self._waits_since_s = time.monotonic()
        self._step, self._waiting_for = step, f"step {step} of {CONNECT_STEPS}: {message}"
        for widget in (self.bench, self.browse, self.seed, self.monitors):
            widget.setEnabled(False)
        self.connect_button.setText("Cancel")
        self.show_waiting()

    def show_disconnecting(self) -> None:
        """Show that the bench is being closed."""
        self._waits_since_s = time.monotonic()
        self._waiting_for = "disconnecting: laser off, SLM flat"
        self.connect_button.setEnabled(False)
        self.show_waiting()

    def show_waiting(self) -> None:
        """Show for how long the bench is being opened or closed."""
        if self._waiting_for:
            waited_s = time.monotonic() - self._waits_since_s
            self._message.setText(f"{self._waiting_for} ... {waited_s:.0f} s")

    def reset(self) -> None:
        """Forget the devices of the last bench; the choice of a bench stays."""
        self.show_state(BenchState("", (), False, False))
        self.set_busy(False)

    def show_state(self, state: BenchState) -> None:
        """Show what the devices report."""
        fits = len(self._groups) == len(state.devices) and all(
            device.kind in self._groups and self._groups[device.kind].fits(device)
            for device in state.devices
        )
        if not fits:
            self._rebuild(state.devices)
            self._add_desks(state.input_shape)
        for device in state.devices:
            self._groups[device.kind].show_device(device)
            if device.kind == "meter" and self._meter is not None:
                self._meter.show_device(device)
        # It never scrolls sideways: what the devices report must fit.
        bar_px = self._scroll.verticalScrollBar().sizeHint().width()
        self._scroll.setMinimumWidth(self._inner.minimumSizeHint().width() + bar_px)
        self.emission.setChecked(state.emission and self.connected)
        self._show_connected(self.connected, with_simulated(state.bench, state.simulated))

    def show_frame(self, frame: Frame) -> None:
        """Show what a frame says of the camera that took it."""
        if "camera" in self._groups:
            self._groups["camera"].show_frame(frame)

    def show_input(self, name: str) -> None:
        """Show what the DMD displays."""
        if self._desk is not None:
            self._desk.show_displayed(name)

    def set_busy(self, busy: bool) -> None:
        """Disable the devices' controls while a job uses them."""
        self._busy = busy
        for group in self._groups.values():
            group.set_busy(busy)
        if self._desk is not None:
            self._desk.set_busy(busy)
        self.presets.set_ready(self.connected and not busy)
        self.emission.setEnabled(self.connected and not busy)
        self.emission.setText("Laser: in use by the job" if busy else "Laser on")

    def enter(self, kind: str, name: str, value: float) -> None:
        """Enter a value in a device's field, as by hand.

        Args:
            kind: Kind of the device.
            name: Name of the setting.
            value: The value, in the setting's unit.
        """
        if kind in self._groups:
            self._groups[kind].enter(name, value)

    def withdraw_questions(self) -> None:
        """Close the question whether to raise the power; nothing is sent."""
        for group in self._groups.values():
            group.withdraw_question()

    def show_failed(self) -> None:
        """Show that connecting did not work; a notice says why."""
        self._show_connected(self.connected)

    def _show_connected(self, on: bool, name: str = "") -> None:
        self._step, self._waiting_for = 0, ""
        self.connect_button.setEnabled(True)
        self.connect_button.setText("Disconnect" if on else "Connect")
        for widget in (self.bench, self.browse, self.seed, self.monitors):
            widget.setEnabled(not on)
        self.presets.set_ready(on and not self._busy)
        self.emission.setEnabled(on and not self._busy)
        if on:
            self._message.setText(f"Connected: {name}" if name else "Connected")
        else:
            self._message.setText("Choose a bench and connect. The mock benches need no hardware.")

    def _clicked(self) -> None:
        if self.connecting:
            self.cancel_wanted.emit()
        elif self.connected:
            self.disconnect_wanted.emit()
        elif not self.seed.commit():
            self._message.setText(f"Seed: {self.seed.refusal}. Nothing was connected.")
        else:
            self.show_connecting(1, "reading the bench file")
            monitor = self.monitors.address if self.monitors.isVisibleTo(self) else ""
            bench = self.bench.currentText().strip()
            self.connect_wanted.emit(bench, self.seed.value(), monitor)

    def _bench_chosen(self, bench: str) -> None:
        """Offer the monitors for a bench whose SLM is one."""
        try:
            slm = load_bench(bench.strip()).slm
        except UserError:
            self.monitors.hide()  # a path may be half typed; connecting says what is wrong with it
            return
        self.monitors.setVisible(slm.driver == "screen")
        if slm.driver == "screen":
            self.monitors.set_shape(slm.shape)
            self.monitors.select(slm.address or "")
            self.monitors.refresh()

    def _browse(self) -> None:
        choose_file(
            self,
            "Bench file",
            Path.cwd(),
            ("Bench files (*.toml)", "All files (*)"),
            lambda path: self.bench.setCurrentText(str(path)),
        )

    def _rebuild(self, devices: tuple[DeviceState, ...]) -> None:
        self.withdraw_questions()
        for group in self._groups.values():
            self._devices.removeWidget(group)
            group.setParent(None)
            group.deleteLater()
        self._groups.clear()
        self._desk = self._meter = None  # they go with their groups
        for device in sorted(devices, key=lambda device: ORDER.index(device.kind)):
            group = DeviceGroup(device)
            if device.kind in self._wanted:
                group.wanted.connect(self._wanted[device.kind])
            self._groups[device.kind] = group
            self._devices.addWidget(group)
        align(label for group in self._groups.values() for label in labels_of(group.form))

    def _add_desks(self, shape: tuple[int, int]) -> None:
        """Add the desks of a power meter and of a DMD, if the bench has them."""
        if "meter" in self._groups:
            self._meter = MeterDesk()
            self._groups["meter"].form.insertRow(1, self._meter)
        if "dmd" in self._groups and min(shape) > 0:
            self._desk = DmdDesk(shape)
            self._desk.wanted.connect(self.input_wanted)
            self._desk.set_busy(self._busy)
            self._groups["dmd"].form.insertRow(1, self._desk)

    def _paint(self) -> None:
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=style.theme().text))
        self.connect_button.setIcon(qta.icon("mdi6.power-plug-outline", color=style.theme().text))
