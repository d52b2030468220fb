"""A list of monitors, to choose the SLM by name and serial; unsuitable ones are grey, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import qtawesome as qta
from PySide6.QtCore import QProcess, QProcessEnvironment, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from drivers.errors import DeviceError
from drivers.slm.monitor import Monitor, means
from drivers.slm.window_link import monitor_command, monitors_of
from gui.style import style, theme
from gui.widgets.plain_label import PlainLabel

IDENTIFY_S = 4.0
LINES = 7
"""Height of the list in lines of text: three monitors."""


class MonitorChooser(QWidget):
    """Lists the monitors, which a process of its own finds: this one may be magnified, and must not wait.

    Attributes:
        chosen: Emitted with the address of a monitor, as slm.address in a bench file.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("monitor_chooser")
        self._monitors: list[Monitor] = []
        self._shape: tuple[int, int] | None = None
        self._address = ""
        self.list = QListWidget()
        self.list.setObjectName("monitor_list")
        self.list.setToolTip("The monitor that is the SLM. It is found by serial at any connector.")
        self.list.setAlternatingRowColors(True)
        self.list.setWordWrap(True)
        self.list.setMinimumHeight(LINES * self.fontMetrics().lineSpacing())
        self.list.itemSelectionChanged.connect(self._choose)
        self.identify = QPushButton("Identify")
        self.identify.setObjectName("monitor_identify")
        self.identify.setToolTip(f"Show its number on each monitor for {IDENTIFY_S:g} s.")
        self.identify.clicked.connect(lambda: self._query(IDENTIFY_S))
        self.refresh_button = QPushButton("Refresh")
        self.refresh_button.setObjectName("monitor_refresh")
        self.refresh_button.setToolTip("Look again which monitors there are")
        self.refresh_button.clicked.connect(lambda: self._query())
        self.notice = PlainLabel()
        self.notice.setObjectName("monitor_notice")
        self.notice.setWordWrap(True)
        self.notice.hide()
        row = QHBoxLayout()
        for button in (self.identify, self.refresh_button):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.notice)
        layout.addLayout(row)
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication), "widgets need an application"
        for signal in (
            application.screenAdded,
            application.screenRemoved,
            application.primaryScreenChanged,
        ):
            signal.connect(self._changed)
        application.aboutToQuit.connect(self._process.kill)
        style.changed.connect(self._colour)
        self._colour()

    @property
    def address(self) -> str:
        """Address of the chosen monitor; that which was asked for while it is not there."""
        return self._address

    def refresh(self) -> None:
        """Find the monitors that are there now."""
        self._query()

    def set_shape(self, shape: tuple[int, int] | None) -> None:
        """Set the (height, width) of the SLM, for which other monitors are refused; None if unknown."""
        self._shape = shape
        self._fill()

    def select(self, address: str) -> None:
        """Choose the monitor that the bench file names; nothing is emitted."""
        self._address = address
        self._fill()

    def set_monitors(self, monitors: Sequence[Monitor]) -> None:
        """Show the monitors that are there."""
        self._monitors = list(monitors)
        self._fill()

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        found = False
        for number, monitor in enumerate(self._monitors, 1):
            size = f"{monitor.shape[1]} x {monitor.shape[0]} pixels, {monitor.refresh_hz:.4g} Hz"
            why_not = monitor.why_not(self._shape)
            # What to do about it is in the tool tip.
            below = f"not possible: {why_not.partition(';')[0]}" if why_not else size
            item = QListWidgetItem(f"{number}   {monitor.title}\n     {below}")
            item.setToolTip(why_not or f'slm.address = "{monitor.address}"')
            item.setData(Qt.ItemDataRole.UserRole, monitor.address)
            if why_not is not None:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
            if why_not is None and self._address and self._means(monitor):
                item.setSelected(True)
                found = True
        self.list.blockSignals(False)
        absent = self._monitors and self._address and not found
        self._show_notice(f"{self._address!r} cannot be used now." if absent else "")

    def _means(self, monitor: Monitor) -> bool:
        try:
            return means(self._address, monitor)
        except DeviceError as error:
            self._show_notice(str(error))
            return False

    def _choose(self) -> None:
        chosen = self.list.selectedItems()
        if chosen:
            self._address = str(chosen[0].data(Qt.ItemDataRole.UserRole))
            self._show_notice("")
            self.chosen.emit(self._address)

    def _query(self, identify_s: float | None = None) -> None:
        if self._process.state() != QProcess.ProcessState.NotRunning:
            return
        self.refresh_button.setEnabled(False)
        self.identify.setEnabled(False)
        command, environment = monitor_command(identify_s)
        wanted = QProcessEnvironment()
        for name, value in environment.items():
            wanted.insert(name, value)
        self._process.setProcessEnvironment(wanted)
        self._process.start(command[0], command[1:])

    def _changed(self) -> None:
        if self.isVisible():
            self._query()

    def _read(self) -> None:
        """Read the monitors as soon as they are printed; while numbers are shown the process runs on."""
        if self._process.canReadLine():
            output = bytes(self._process.readLine().data())
            self.set_monitors(monitors_of(0, output, b""))

    def _finished(self, code: int) -> None:
        self.refresh_button.setEnabled(True)
        self.identify.setEnabled(True)
        if code:
            try:
                monitors_of(code, b"", bytes(self._process.readAllStandardError().data()))
            except DeviceError as error:
                self._show_notice(str(error))

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._finished(0)
            self._show_notice(f"monitors: {self._process.errorString()}")

    def _show_notice(self, message: str) -> None:
        self.notice.setText(message)
        self.notice.setVisible(bool(message))

    def _colour(self) -> None:
        for button, icon in (
            (self.identify, "mdi6.numeric"),
            (self.refresh_button, "mdi6.refresh"),
        ):
            button.setIcon(qta.icon(icon, color=theme().text, color_disabled=theme().disabled))
        self.notice.setStyleSheet(f"color: {theme().warn};")
