"""The camera's desk: its settings, figures of frames, how they are shown, and recordings."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget

from drivers.types import Frame
from gui.camera_desk.figures_page import FiguresPage
from gui.camera_desk.picture_page import PicturePage
from gui.camera_desk.record_page import RecordPage
from gui.camera_desk.settings_page import SettingsPage
from gui.live.levels import Brightness
from gui.live.view import LiveView
from gui.widgets.page import PageArea
from labdiff.engine.status import BenchState, ExposureFound


class CameraDesk(QTabWidget):
    """Sets the camera of a live view, and what is shown of its frames.

    Args:
        view: The live view.

    Attributes:
        command_wanted: Emitted with a command of `labdiff.engine.commands`.
    """

    command_wanted = Signal(object)

    def __init__(self, view: LiveView) -> None:
        super().__init__()
        self.setObjectName("camera_desk")
        self._view = view
        self.settings_page, self.figures = SettingsPage(), FiguresPage(view.canvas)
        self.picture, self.recording = (
            PicturePage(view.processing),
            RecordPage(view.controls.format),
        )
        for page, title, tip in (
            (self.settings_page, "Camera", "Exposure, gain, region of interest, frame rate"),
            (self.figures, "Figures", "Mean, deviation, centroid of the frame, a box or a line"),
            (self.picture, "Picture", "Background, average, brightness of what is shown"),
            (self.recording, "Record", "Name, folder and end of a recording"),
        ):
            self.setTabToolTip(self.addTab(PageArea(page), title), tip)
        self.settings_page.command_wanted.connect(self.command_wanted)
        self.picture.changed.connect(view.show_again)
        self.picture.brightness_changed.connect(self._set_brightness)
        self.picture.autoscale_changed.connect(self._set_autoscale)
        view.frame_described.connect(self._show_frame)
        record = view.controls.record
        self.recording.set_folder(view.folder)
        self.recording.record_toggled.connect(record.setChecked)
        self.recording.folder_chosen.connect(view.set_folder)
        record.toggled.connect(lambda _: self.recording.show_recording(record.isChecked()))
        view.recording_progress.connect(self.recording.show_progress)
        view.recording_ended.connect(self.recording.show_progress)
        view.plan = self.recording.plan

    def show_state(self, state: BenchState, busy: bool) -> None:
        """Show the camera's state; while a job uses it nothing can be set."""
        self.settings_page.show_state(state, busy)
        known = bool(state.devices and state.calibrations)
        self.picture.set_archive(Path(state.calibrations) if known else None)

    def show_found(self, found: ExposureFound) -> None:
        """Show which exposure was found."""
        self.settings_page.show_found(found)

    def settle(self) -> None:
        """Show nothing in progress any more: a command has failed, and a notice says why."""
        self.settings_page.settle()

    def refresh(self) -> None:
        """Show how fast frames come, and the room for them on the disk."""
        rate, frame = self._view.frames_per_s, self._view.frame
        self.settings_page.show_rate(rate)
        if self.recording.isVisible():
            size = 0 if frame is None else frame.pixels.nbytes
            self.recording.show_room(rate * size)

    def reset(self) -> None:
        """Forget the camera and its frames; how frames are shown and recorded stays."""
        for page in (self.settings_page, self.figures, self.picture, self.recording):
            page.reset()

    def _show_frame(self, frame: Frame) -> None:
        self.picture.show_frame(frame)
        if self.figures.isVisible():
            self.figures.show_frame(frame)

    def _set_brightness(self, brightness: Brightness) -> None:
        self._view.set_brightness(brightness)

    def _set_autoscale(self, on: bool) -> None:
        self._view.autoscales_profiles = on
        self._view.show_again()
