"""What is recorded: name, folder, when it ends, a note; and how much room there is on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from gui.live.snapshots import RecordingPlan
from gui.style import style, theme
from gui.widgets.choice import Choice
from gui.widgets.dialogs import choose_folder
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.page import Note
from labdiff.errors import UserError

WHEN_STOPPED, FRAMES, SECONDS = "when stopped", "after frames", "after seconds"
TIGHT_S = 60.0
"""Seconds of recording for which there has to be room; else the room is shown as a warning."""


class RecordPage(QWidget):
    """Plans a recording, and starts it.

    Args:
        kind: The choice of the format of files.

    Attributes:
        record_toggled: Emitted with whether frames are to be recorded.
        folder_chosen: Emitted with the folder of snapshots and recordings.
    """

    record_toggled = Signal(bool)
    folder_chosen = Signal(Path)

    def __init__(self, kind: QWidget) -> None:
        super().__init__()
        self._folder = Path("runs")
        self.name = QLineEdit("recording")
        self.name.setObjectName("desk_record_name")
        self.name.setToolTip("Name of the file, without its ending")
        self.dated = QCheckBox("Add date and time to the name")
        self.dated.setObjectName("desk_record_dated")
        self.dated.setToolTip("So that no two recordings have the same name")
        self.dated.setChecked(True)
        self.folder = QLineEdit()
        self.folder.setObjectName("desk_record_folder")
        self.folder.setToolTip("Folder of snapshots and recordings; it is made if there is none")
        self.browse = QToolButton()
        self.browse.setObjectName("desk_record_browse")
        self.browse.setToolTip("Choose the folder")
        self.browse.clicked.connect(self._browse)
        self.end = Choice("desk_record_end", "When the recording ends by itself")
        self.end.addItems([WHEN_STOPPED, FRAMES, SECONDS])
        self.frames = CountField("desk_record_frames", 100, 1, 10_000_000, tip="Number of frames.")
        self.seconds = NumberField(
            "desk_record_seconds", 10.0, 0.1, 1e6, "s", tip="Time that it takes."
        )
        self.remark = QLineEdit()
        self.remark.setObjectName("desk_record_note")
        self.remark.setToolTip("What is written into the file about the recording")
        self.record = QPushButton("Record")
        self.record.setObjectName("desk_record")
        self.record.setToolTip("Save all frames from now on, as the camera gives them")
        self.record.setCheckable(True)
        self.record.toggled.connect(self.record_toggled)
        self.room = Note("desk_record_room", 2)
        self.said = Note("desk_record_state", 4)
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self.browse)
        form = self._form = QFormLayout(self)
        form.addRow("Name", self.name)
        form.addRow(self.dated)
        form.addRow("Folder", where)
        form.addRow("Format", kind)
        kind.show()
        form.addRow("Ends", self.end)
        form.addRow("Frames", self.frames)
        form.addRow("Time", self.seconds)
        form.addRow("Note", self.remark)
        form.addRow(self.record)
        form.addRow(self.room)
        form.addRow(self.said)
        self.end.currentTextChanged.connect(self._show_end)
        self.folder.editingFinished.connect(self._take_folder)
        style.changed.connect(self._paint)
        self._show_end(WHEN_STOPPED)
        self._paint()

    def set_folder(self, folder: Path) -> None:
        """Show the folder of snapshots and recordings."""
        self._folder = folder
        self.folder.setText(str(folder))

    def plan(self) -> RecordingPlan:
        """Return what the next recording is to be. Raises UserError for a number that is not understood."""
        self._take_folder()
        end = self.end.currentText()
        field = {FRAMES: self.frames, SECONDS: self.seconds}.get(end)
        if field is not None and not field.commit():
            raise UserError(field.refusal)
        return RecordingPlan(
            name=self.name.text().strip(),
            dated=self.dated.isChecked(),
            most=self.frames.value() if end == FRAMES else None,
            seconds=self.seconds.value() if end == SECONDS else None,
            note=self.remark.text(),
        )

    def show_recording(self, on: bool) -> None:
        """Show on the button what it will do."""
        self.record.blockSignals(True)
        self.record.setChecked(on)
        self.record.blockSignals(False)
        self.record.setText("Stop" if on else "Record")

    def show_progress(self, message: str) -> None:
        """Show how far the recording is, or how it has ended."""
        self.said.setText(message)

    def show_room(self, bytes_per_s: float) -> None:
        """Show the free room on the folder's disk, and how long it lasts at a rate; 0: no frames come."""
        there = self._folder.absolute()
        while not there.exists() and there != there.parent:
            there = there.parent
        try:
            free = shutil.disk_usage(there).free
        except OSError as error:
            self.room.setText(f"free room not known: {error.strerror or error}")
            return
        text, tight = f"{free / 1e9:.1f} GB free", False
        if bytes_per_s > 0.0:
            lasts_s = free / bytes_per_s
            tight = lasts_s < TIGHT_S
            text += f": {_lasts(lasts_s)} at {bytes_per_s / 1e6:.1f} MB/s"
        self.room.setText(text)
        self.room.setStyleSheet(f"color: {theme().bad if tight else theme().text}")

    def reset(self) -> None:
        """Forget what the last recording has reported; the plan stays."""
        self.said.clear()

    def _take_folder(self) -> None:
        folder = Path(self.folder.text().strip() or ".")
        if folder != self._folder:
            self._folder = folder
            self.folder_chosen.emit(folder)

    def _browse(self) -> None:
        choose_folder(self, "Folder of recordings", self._folder, self._use_folder)

    def _use_folder(self, folder: Path) -> None:
        self.folder.setText(str(folder))
        self._take_folder()

    def _show_end(self, end: str) -> None:
        # Disabled and not hidden: nothing below moves.
        self.frames.setEnabled(end == FRAMES)
        self.seconds.setEnabled(end == SECONDS)

    def _paint(self) -> None:
        self.browse.setIcon(qta.icon("mdi6.folder-open-outline", color=theme().text))


def _lasts(seconds: float) -> str:
    """Return a time to be read: seconds, minutes or hours."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    if seconds < 7200.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.0f} h"
