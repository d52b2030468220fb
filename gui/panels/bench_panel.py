"""The bench: which one, its devices, the values that were set beside those that the devices report."""

from __future__ import annotations

from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.panels.power_guard import PowerGuard
from gui.widgets.choice import Choice
from gui.widgets.dialogs import choose_file
from gui.widgets.monitor_chooser import MonitorChooser
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.plain_label import PlainLabel
from labdiff.config.bench import SHIPPED, load_bench
from labdiff.config.simulated import with_simulated
from labdiff.engine.status import BenchState, DeviceState, Setting
from labdiff.errors import UserError

TITLES = {"slm": "SLM", "camera": "Camera", "laser": "Laser", "dmd": "DMD"}
SETTABLE = {("camera", "exposure"), ("laser", "power")}


class BenchPanel(QWidget):
    """Connects a bench, and shows and sets the values of its devices.

    Attributes:
        connect_wanted: Emitted with the bench, the seed, and the address of the SLM's monitor or "".
        disconnect_wanted: Emitted when the bench is to be closed.
        exposure_wanted: Emitted with the exposure, ms.
        power_wanted: Emitted with the laser's power, mW.
        emission_wanted: Emitted with whether the laser is to be on.
    """

    connect_wanted = Signal(str, int, str)
    disconnect_wanted = Signal()
    exposure_wanted = Signal(float)
    power_wanted = Signal(float)
    emission_wanted = Signal(bool)

    def __init__(self, bench: str, seed: int) -> None:
        super().__init__()
        self.setObjectName("bench_panel")
        self._busy = False
        self._fields: dict[tuple[str, str], NumberField] = {}
        self._guard: PowerGuard | None = None
        self._readings: dict[tuple[str, str], QLabel] = {}
        self._problems: dict[str, QLabel] = {}
        self._kinds: tuple[str, ...] = ()
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
        self.connect_button.clicked.connect(self._clicked)
        self.emission = QCheckBox("Laser on")
        self.emission.setObjectName("emission")
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
        self._devices = QVBoxLayout()
        inner = self._inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.addLayout(form)
        layout.addWidget(self.monitors)
        layout.addWidget(self.connect_button)
        layout.addWidget(self._message)
        layout.addWidget(self.emission)
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
        return bool(self._kinds)

    def show_connecting(self) -> None:
        """Show that a bench is being opened."""
        self.connect_button.setEnabled(False)
        self._message.setText("connecting ...")

    def show_state(self, state: BenchState) -> None:
        """Show what the devices report."""
        kinds = tuple(device.kind for device in state.devices)
        if kinds != self._kinds:
            self._rebuild(state.devices)
        self._kinds = kinds
        for device in state.devices:
            for setting in device.settings:
                self._show_setting(device.kind, setting)
            self._show_problem(device)
        # It never scrolls sideways: what the devices report must fit.
        bar_px = self._scroll.verticalScrollBar().sizeHint().width()
        self._scroll.setMinimumWidth(self._inner.minimumSizeHint().width() + bar_px)
        self.emission.setChecked(state.emission and bool(kinds))
        self._show_connected(bool(kinds), with_simulated(state.bench, state.simulated))

    def set_busy(self, busy: bool) -> None:
        """Disable the devices' controls while a job uses them."""
        self._busy = busy
        if busy:
            self.withdraw_questions()
        for field in self._fields.values():
            field.setEnabled(not busy)
        self.emission.setEnabled(self.connected and not busy)

    def withdraw_questions(self) -> None:
        """Close the question whether to raise the power; nothing is sent."""
        if self._guard is not None:
            self._guard.withdraw()

    def show_failed(self) -> None:
        """Show that connecting did not work; a notice says why."""
        self._show_connected(self.connected)

    def _show_connected(self, on: bool, name: str = "") -> None:
        self.connect_button.setEnabled(True)
        self.connect_button.setText("Disconnect" if on else "Connect")
        for widget in (self.bench, self.browse, self.seed, self.monitors):
            widget.setEnabled(not on)
        self.emission.setEnabled(on and not self._busy)
        if on:
            self._message.setText(f"Connected: {name}" if name else "Connected")
        else:
            self._message.setText("Choose a bench and connect. The mock benches need no hardware.")

    def _clicked(self) -> None:
        if self.connected:
            self.disconnect_wanted.emit()
        elif not self.seed.commit():
            self._message.setText(f"Seed: {self.seed.refusal}. Nothing was connected.")
        else:
            self.show_connecting()
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
        while (item := self._devices.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.withdraw_questions()
        self._guard = None
        self._fields.clear()
        self._readings.clear()
        self._problems.clear()
        for device in devices:
            self._devices.addWidget(self._group(device))

    def _group(self, device: DeviceState) -> QGroupBox:
        kind = device.kind
        group = QGroupBox(f"{TITLES.get(kind, kind)}: {device.name} ({device.driver})")
        form = QFormLayout(group)
        problem = PlainLabel()
        problem.setWordWrap(True)
        problem.setObjectName(f"{kind}_problem")
        self._problems[kind] = problem
        for setting in device.settings:
            reading = PlainLabel()
            reading.setObjectName(f"{kind}_{setting.name}_actual".replace(" ", "_"))
            self._readings[kind, setting.name] = reading
            if (kind, setting.name) not in SETTABLE:
                form.addRow(setting.name.capitalize(), reading)
                continue
            low = setting.low if setting.low is not None else 0.0
            high = setting.high if setting.high is not None else 1e6
            field = NumberField(
                f"{kind}_{setting.name}",
                setting.requested or low,
                low,
                high,
                setting.unit,
                tip="The device reports beside it what it applies",
            )
            if kind == "laser":
                self._guard = PowerGuard(field, self.power_wanted.emit)
            else:
                field.valueChanged.connect(self.exposure_wanted)
            self._fields[kind, setting.name] = field
            # The reading may get longer; the panel does not move then.
            reading.setMinimumWidth(self.fontMetrics().horizontalAdvance("is 0.0000 mW"))
            line = QHBoxLayout()
            line.addWidget(field, 1)
            line.addWidget(reading)
            form.addRow(setting.name.capitalize(), line)
        form.addRow(problem)
        return group

    def _show_setting(self, kind: str, setting: Setting) -> None:
        reading = self._readings.get((kind, setting.name))
        if reading is None:
            return
        text = "?" if setting.actual is None else f"{setting.actual:.5g} {setting.unit}".strip()
        field = self._fields.get((kind, setting.name))
        reading.setText(text if field is None else f"is {text}")
        guard = self._guard if kind == "laser" else None
        if guard is not None and setting.actual is not None:
            guard.set_present(setting.actual)
        if field is not None and setting.requested is not None and not (guard and guard.asking):
            field.show_value(setting.requested)

    def _show_problem(self, device: DeviceState) -> None:
        label = self._problems.get(device.kind)
        if label is not None:
            label.setText(device.problem)
            label.setVisible(bool(device.problem))
            label.setStyleSheet(f"color: {style.theme().bad}")

    def _paint(self) -> None:
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=style.theme().text))
        self.connect_button.setIcon(qta.icon("mdi6.power-plug-outline", color=style.theme().text))
