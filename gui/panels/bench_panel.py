"""The bench: which one, its devices, what was set beside what they say."""

from __future__ import annotations

from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
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
from gui.widgets.choice import Choice
from gui.widgets.monitor_chooser import MonitorChooser
from gui.widgets.no_wheel_fields import CountField, NumberField
from labdiff.config.bench import SHIPPED, load_bench
from labdiff.engine.status import BenchState, DeviceState, Setting
from labdiff.errors import UserError

TITLES = {"slm": "SLM", "camera": "Camera", "laser": "Laser", "dmd": "DMD"}
SETTABLE = {("camera", "exposure"), ("laser", "power")}


class BenchPanel(QWidget):
    """connect_wanted(bench, seed, monitor of the SLM or ""), disconnect_wanted, exposure_wanted(ms),
    power_wanted(mW), emission_wanted(on).
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
        self._said: dict[tuple[str, str], QLabel] = {}
        self._kinds: tuple[str, ...] = ()
        self.bench = Choice("bench")
        self.bench.setEditable(True)
        self.bench.addItems(list(dict.fromkeys([bench, *SHIPPED])))
        self.bench.setToolTip("A simulated bench by name, or the path of a bench file")
        self.browse = QToolButton()
        self.browse.setToolTip("Choose a bench file")
        self.browse.clicked.connect(self._browse)
        self.seed = CountField(0, 2**31 - 1)
        self.seed.setObjectName("seed")
        self.seed.setValue(seed)
        self.seed.setToolTip(
            "Which simulated laboratory: its imperfections are drawn from the seed"
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
        self._words = QLabel("Choose a bench and connect. The mock benches need no hardware.")
        self._words.setWordWrap(True)
        self._devices = QVBoxLayout()
        inner = self._inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.addLayout(form)
        layout.addWidget(self.monitors)
        layout.addWidget(self.connect_button)
        layout.addWidget(self._words)
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
        """Whether devices are in hand."""
        return bool(self._kinds)

    def opening(self) -> None:
        """Connecting takes a moment."""
        self.connect_button.setEnabled(False)
        self._words.setText("connecting ...")

    def show_state(self, state: BenchState) -> None:
        """What the devices say."""
        kinds = tuple(device.kind for device in state.devices)
        if kinds != self._kinds:
            self._rebuild(state.devices)
        self._kinds = kinds
        for device in state.devices:
            for setting in device.settings:
                self._fill(device.kind, setting)
            self._tell_trouble(device)
        # It never scrolls sideways: what the devices say must fit.
        bar_px = self._scroll.verticalScrollBar().sizeHint().width()
        self._scroll.setMinimumWidth(self._inner.minimumSizeHint().width() + bar_px)
        self.emission.setChecked(state.emission and bool(kinds))
        self._show_connected(bool(kinds), state.bench)

    def set_busy(self, busy: bool) -> None:
        """While a job runs, the devices are its own."""
        self._busy = busy
        for field in self._fields.values():
            field.setEnabled(not busy)
        self.emission.setEnabled(self.connected and not busy)

    def failed(self) -> None:
        """Connecting did not work; why is said elsewhere."""
        self._show_connected(self.connected)

    def _show_connected(self, on: bool, name: str = "") -> None:
        self.connect_button.setEnabled(True)
        self.connect_button.setText("Disconnect" if on else "Connect")
        for widget in (self.bench, self.browse, self.seed, self.monitors):
            widget.setEnabled(not on)
        self.emission.setEnabled(on and not self._busy)
        if on:
            self._words.setText(f"Connected: {name}" if name else "Connected")
        else:
            self._words.setText("Choose a bench and connect. The mock benches need no hardware.")

    def _clicked(self) -> None:
        if self.connected:
            self.disconnect_wanted.emit()
        else:
            self.opening()
            monitor = self.monitors.address if self.monitors.isVisibleTo(self) else ""
            bench = self.bench.currentText().strip()
            self.connect_wanted.emit(bench, self.seed.value(), monitor)

    def _bench_chosen(self, bench: str) -> None:
        """A bench whose SLM is a monitor lets choose which one."""
        try:
            slm = load_bench(bench.strip()).slm
        except UserError:
            self.monitors.hide()  # said when it is connected: a path may be half typed
            return
        self.monitors.setVisible(slm.driver == "screen")
        if slm.driver == "screen":
            self.monitors.set_shape(slm.shape)
            self.monitors.select(slm.address or "")
            self.monitors.look()

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Bench file", str(Path.cwd()), "Bench files (*.toml);;All files (*)"
        )
        if path:
            self.bench.setCurrentText(path)

    def _rebuild(self, devices: tuple[DeviceState, ...]) -> None:
        while (item := self._devices.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._fields.clear()
        self._said.clear()
        for device in devices:
            self._devices.addWidget(self._group(device))

    def _group(self, device: DeviceState) -> QGroupBox:
        kind = device.kind
        group = QGroupBox(f"{TITLES.get(kind, kind)}: {device.name} ({device.driver})")
        form = QFormLayout(group)
        words = QLabel()
        words.setWordWrap(True)
        words.setObjectName(f"{kind}_words")
        self._said[kind, ""] = words
        for setting in device.settings:
            said = QLabel()
            said.setObjectName(f"{kind}_{setting.name}_actual".replace(" ", "_"))
            self._said[kind, setting.name] = said
            if (kind, setting.name) not in SETTABLE:
                form.addRow(setting.name.capitalize(), said)
                continue
            low = setting.low if setting.low is not None else 0.0
            high = setting.high if setting.high is not None else 1e6
            field = NumberField(low, high, 3, setting.unit)
            field.setObjectName(f"{kind}_{setting.name}")
            field.setToolTip(
                f"{low:g} ... {high:g} {setting.unit}; the device says what it applies"
            )
            wanted = self.exposure_wanted if kind == "camera" else self.power_wanted
            field.valueChanged.connect(wanted)
            self._fields[kind, setting.name] = field
            # What the device says may get longer; the panel does not move then.
            said.setMinimumWidth(self.fontMetrics().horizontalAdvance("is 0.0000 mW"))
            line = QHBoxLayout()
            line.addWidget(field, 1)
            line.addWidget(said)
            form.addRow(setting.name.capitalize(), line)
        form.addRow(words)
        return group

    def _fill(self, kind: str, setting: Setting) -> None:
        said = self._said.get((kind, setting.name))
        if said is None:
            return
        words = "?" if setting.actual is None else f"{setting.actual:.5g} {setting.unit}".strip()
        field = self._fields.get((kind, setting.name))
        said.setText(words if field is None else f"is {words}")
        if field is not None and setting.requested is not None and not field.hasFocus():
            field.blockSignals(True)
            field.setValue(setting.requested)
            field.blockSignals(False)

    def _tell_trouble(self, device: DeviceState) -> None:
        words = self._said.get((device.kind, ""))
        if words is not None:
            words.setText(device.problem)
            words.setVisible(bool(device.problem))
            words.setStyleSheet(f"color: {style.theme().bad}")

    def _paint(self) -> None:
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=style.theme().text))
        self.connect_button.setIcon(qta.icon("mdi6.power-plug-outline", color=style.theme().text))
