"""The live view: the camera's picture with levels, histogram, profiles, region and recordings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor
from PySide6.QtWidgets import QGridLayout, QSplitter, QVBoxLayout, QWidget

from drivers.types import Frame, Roi
from gui.live.canvas import Canvas, Drawing
from gui.live.controls import Controls, Setting
from gui.live.frame_status import FrameStatus
from gui.live.histogram import Histogram
from gui.live.levels import (
    LINEAR,
    Brightness,
    ColourTable,
    Levels,
    colours,
    levels_of,
    standing_out,
)
from gui.live.processing import FrameProcessing
from gui.live.profiles import Profile
from gui.live.snapshots import FrameRecorder, RecordingPlan
from gui.live.statistics import statistics_of
from gui.process.frame_ring import NumberedFrame
from gui.style import style, theme
from labdiff.errors import UserError

FIGURES_MS = 200
"""Time between two updates of histogram, levels, profiles and counters; the picture follows each frame."""


class LiveView(QWidget):
    """Shows the frames of a camera; places are raw-sensor pixels.

    Args:
        clock: Returns the time, s.

    Attributes:
        roi_wanted: Emitted with the region that the camera is to read out.
        recording_ended: Emitted with a sentence about a snapshot or recording that has ended.
        recording_progress: Emitted with a sentence about the recording that runs.
        frame_described: Emitted with the newest frame as it is shown, some times a second.
        processing: What is done with frames before they are shown; recordings have them as they came.
        autoscales_profiles: Whether the profiles' axes follow their counts, instead of the full scale.
        plan: Returns what the next recording is to be; it may raise UserError.
    """

    roi_wanted = Signal(Roi)
    recording_ended = Signal(str)
    recording_progress = Signal(str)
    frame_described = Signal(Frame)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setObjectName("live_view")
        self._clock = clock
        self._entry: NumberedFrame | None = None
        self._raw: NumberedFrame | None = None
        self.processing, self._brightness = FrameProcessing(), LINEAR
        self.autoscales_profiles = False
        self.plan: Callable[[], RecordingPlan] = RecordingPlan
        self._hovered: tuple[int, int] | None = None
        self._sensor_shape: tuple[int, int] | None = None
        self._maximum = 255
        self._levels = Levels(0, 255)
        self._analysed: NumberedFrame | None = None
        self._recorder = FrameRecorder(clock)
        self._build()
        self._timer = QTimer(self, interval=FIGURES_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._recolour()

    def set_camera(
        self,
        sensor_shape: tuple[int, int],
        bit_depth: int,
        step_counts: int = 1,
        full_counts: int = 0,
    ) -> None:
        """Set the camera that takes the frames.

        Args:
            sensor_shape: (height, width) of its sensor.
            bit_depth: Bits of a count.
            step_counts: Distance of two counts, 16 for 12 bits packed to the left of 16.
            full_counts: Count from which a pixel is saturated; 0: the largest of the bit depth.
        """
        self._sensor_shape = sensor_shape
        before, self._maximum = self._maximum, (full_counts or 2**bit_depth - 1) * step_counts
        self._recorder.sensor_shape, self._recorder.bit_depth = sensor_shape, bit_depth
        self._recorder.maximum_counts = self._maximum
        self.canvas.set_sensor(sensor_shape)
        self.histogram.set_maximum(self._maximum)
        self.clear("No frames yet")
        # Levels of another camera mean nothing; the mode that finds them does.
        if before != self._maximum:
            mode = self.controls.level_mode
            self.controls.fix(Levels(0, self._maximum))
            self.controls.mode.setCurrentText(mode.value)

    def set_bench(self, name: str) -> None:
        """Set the bench's name, which is stored with recordings."""
        self._recorder.bench = name

    def set_folder(self, folder: Path) -> None:
        """Set the folder of snapshots and recordings."""
        self._recorder.folder = folder

    def show_frame(self, entry: NumberedFrame) -> None:
        """Show a frame of uint8 or uint16; other types are rounded to counts, not-a-number is 0."""
        entry = _as_counts(entry)
        before = self._entry
        self.status.count_acquired(entry.number, before, self.canvas.waiting, self._clock())
        self._recorder.add(entry)
        self._raw = entry
        self._entry = entry = self.processing.apply(entry, self._maximum)
        if before is None:
            self._analyse(entry)
            self._analysed = None  # its figures are due with the next ones
        self.canvas.show_entry(entry if entry.frame.pixels.size else None)
        if before is None:
            self._place_crosshair()

    def set_brightness(self, brightness: Brightness) -> None:
        """Paint with a scale that is linear, logarithmic or a power of the counts."""
        self._brightness = brightness
        self._set_table()

    def show_again(self) -> None:
        """Show the newest frame again, after its processing has changed."""
        if self._raw is not None:
            self._entry = self.processing.apply(self._raw, self._maximum)
            self._analyse(self._entry)
            self._draw_profiles()
            self.canvas.show_entry(self._entry if self._entry.frame.pixels.size else None)

    @property
    def newest(self) -> NumberedFrame | None:
        """The newest frame as the camera took it."""
        return self._raw

    @property
    def frames_per_s(self) -> float:
        """Frames that came from the camera in each of the last seconds; 0 if none comes."""
        return 0.0 if self._entry is None else self.status.acquired_per_s(self._clock())

    @property
    def frame(self) -> Frame | None:
        """The newest frame as it is shown; None if there is none."""
        return None if self._entry is None else self._entry.frame

    @property
    def folder(self) -> Path:
        """Folder of snapshots and recordings."""
        return self._recorder.folder

    def clear(self, reason: str) -> None:
        """Show no frame any more but the reason, such as "The camera is disconnected"."""
        self._entry = self._raw = self._analysed = self._hovered = None
        self.canvas.empty_text = reason
        self.canvas.show_entry(None)
        for figure in (self.histogram, self.row_profile, self.column_profile):
            figure.clear()
        self._show_text()

    @property
    def recording(self) -> bool:
        """True while all frames are wanted, and not only the newest."""
        return self._recorder.recording

    def settings(self) -> dict[str, Setting]:
        """Return what the user has set, as plain values, to be restored at the next start."""
        return {"maximum": self._maximum, **self.controls.settings()}

    def restore(self, settings: Mapping[str, Setting]) -> None:
        """Restore what `settings` returned; what is missing or not understood stays as it is."""
        found = {**self.settings(), **settings}
        try:
            maximum = int(found["maximum"])
            self.controls.restore(found)
        except (TypeError, ValueError):
            return
        self._maximum = maximum
        self.histogram.set_maximum(maximum)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End recordings, so that all is written."""
        self.finish_recordings()
        super().closeEvent(event)

    def finish_recordings(self) -> None:
        """Stop recording and wait, some seconds at most, until all is on the disk."""
        self._timer.stop()
        self._recorder.finish()

    # Layout

    def _build(self) -> None:
        self.controls, self.canvas, self.histogram = Controls(), Canvas(), Histogram()
        self.row_profile, self.column_profile = Profile(vertical=False), Profile(vertical=True)
        picture = QWidget()
        grid = QGridLayout(picture)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.canvas, 0, 0)
        grid.addWidget(self.column_profile, 0, 1)
        grid.addWidget(self.row_profile, 1, 0, 1, 2)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(picture)
        self._split.addWidget(self.histogram)
        self._split.setStretchFactor(0, 4)
        self._split.setStretchFactor(1, 1)
        self._split.setCollapsible(0, False)
        self._split.setSizes([4000, 1000])
        self.status = FrameStatus()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.controls)
        layout.addWidget(self._split, 1)
        layout.addWidget(self.status)
        asked = self.controls
        asked.changed.connect(self._recolour)
        asked.crosshair.toggled.connect(self._toggle_crosshair)
        asked.histogram.toggled.connect(self.histogram.setVisible)
        asked.draw_roi.toggled.connect(self._toggle_roi)
        asked.whole.clicked.connect(self._ask_whole)
        asked.fit.clicked.connect(self.canvas.fit)
        asked.one.clicked.connect(self.canvas.one_to_one)
        asked.snapshot.clicked.connect(self._snapshot)
        asked.record.toggled.connect(self._toggle_recording)
        self.histogram.levels_dragged.connect(asked.fix)
        self._recorder.progress.connect(self.status.show_recording)
        self._recorder.progress.connect(self.recording_progress)
        self._recorder.ended.connect(self._on_recording_ended)
        self.canvas.painted.connect(lambda _: self.status.count_shown(self._clock()))
        self.canvas.hovered.connect(self._hover)
        self.canvas.crosshair_moved.connect(self._draw_profiles)
        self.canvas.view_changed.connect(self._follow_view)
        self.canvas.roi_drawn.connect(self.roi_wanted)
        self.canvas.drawing_left.connect(lambda: asked.draw_roi.setChecked(False))
        style.changed.connect(self._recolour)
        self._toggle_crosshair(False)

    # Figures

    def _tick(self) -> None:
        if self._entry is not None and self._entry is not self._analysed:
            self._analyse(self._entry)
            self._draw_profiles()
            self.frame_described.emit(self._entry.frame)
        self._show_text()
        self._recorder.report()

    def _analyse(self, entry: NumberedFrame) -> None:
        """Compute and show levels and histogram of a frame."""
        self._analysed = entry
        found = statistics_of(entry.frame.pixels)
        asked = self.controls
        self._set_levels(levels_of(asked.level_mode, asked.fixed, asked.percentiles, found))
        if self.histogram.isVisible():
            self.histogram.show_statistics(found)

    def _set_levels(self, levels: Levels) -> None:
        if levels != self._levels:
            self._levels = levels
            self._set_table()
        self.controls.show_levels(levels)
        self.histogram.set_levels(levels)

    def _recolour(self) -> None:
        self._set_table()
        if self._entry is not None:
            self._analyse(self._entry)
        else:
            self._set_levels(self.controls.fixed)

    def _set_table(self) -> None:
        marked = self._maximum if self.controls.saturation.isChecked() else None
        chosen = colours(self.controls.colours.currentText())
        roles = (theme().saturated, theme().twin, theme().floor)
        saturated = standing_out(chosen, [QColor(role).rgb() & 0xFFFFFF for role in roles])
        self.canvas.set_table(
            ColourTable(self._levels, chosen, marked, saturated, self._brightness)
        )

    def _show_text(self) -> None:
        frame = None if self._entry is None else self._entry.frame
        self.status.show_frame(frame, self.canvas.scale, self._clock())
        self._read_out()

    def _hover(self, place: tuple[int, int] | None) -> None:
        self._hovered = place
        self._read_out()

    def _read_out(self) -> None:
        frame = None if self._entry is None else self._entry.frame
        self.status.show_place(frame, self._hovered or self.canvas.crosshair)

    # Crosshair and profiles

    def _toggle_crosshair(self, on: bool) -> None:
        self.row_profile.setVisible(on)
        self.column_profile.setVisible(on)
        self.row_profile.set_margin(self.column_profile.sizeHint().width())
        self.canvas.crosshair = None
        self._place_crosshair()

    def _place_crosshair(self) -> None:
        """Put the crosshair on the middle of the frame in view, if it is wanted and not on the frame."""
        if self._entry is None or not self.controls.crosshair.isChecked():
            return
        roi, canvas = self._entry.frame.roi, self.canvas
        middle = (roi.top + roi.height // 2, roi.left + roi.width // 2)
        places = (place for place in (canvas.crosshair, canvas.middle()) if place is not None)
        inside = (
            (row, column)
            for row, column in places
            if 0 <= row - roi.top < roi.height and 0 <= column - roi.left < roi.width
        )
        canvas.crosshair = next(inside, middle)

    def _follow_view(self) -> None:
        view, canvas = self.canvas.viewport, self.canvas
        top, left = view.place(0.0, 0.0)
        bottom, right = view.place(canvas.width(), canvas.height())
        self.row_profile.set_range(left, right)
        self.column_profile.set_range(top, bottom)

    def _draw_profiles(self) -> None:
        place, entry = self.canvas.crosshair, self._entry
        if place is None or entry is None or not entry.frame.pixels.size:
            return
        frame = entry.frame
        row = min(max(place[0] - frame.roi.top, 0), frame.pixels.shape[0] - 1)
        column = min(max(place[1] - frame.roi.left, 0), frame.pixels.shape[1] - 1)
        along, down = frame.pixels[row], frame.pixels[:, column]
        most = None if self.autoscales_profiles else self._maximum
        self.row_profile.show_counts(frame.roi.left, along, most)
        self.column_profile.show_counts(frame.roi.top, down, most)
        self._follow_view()

    # Region of interest

    def _toggle_roi(self, on: bool) -> None:
        drawing = self.canvas.drawing is Drawing.ROI
        if drawing != on:
            self.canvas.drawing = Drawing.ROI if on else Drawing.NOTHING

    def _ask_whole(self) -> None:
        if self._sensor_shape is not None:
            self.roi_wanted.emit(Roi(0, 0, *self._sensor_shape))

    # Snapshots and recordings

    def _snapshot(self) -> None:
        if self._raw is None or not self._raw.frame.pixels.size:
            self.recording_ended.emit("There is no frame to save yet.")
        else:
            self._recorder.snapshot(self._raw, self.controls.format.currentText())

    def _toggle_recording(self, on: bool) -> None:
        try:
            if on:
                self._recorder.record(self.controls.format.currentText(), self.plan())
            else:
                self._recorder.stop()
        except UserError as error:
            self.status.show_recording(f"Not recorded: {error}")
            self.recording_ended.emit(f"not recorded: {error}")
            self.controls.record.setChecked(False)
            return
        self.controls.show_recording(on)

    def _on_recording_ended(self, message: str) -> None:
        self.status.show_recording(message)
        if not self._recorder.recording:
            self.controls.record.setChecked(False)
        self.recording_ended.emit(message)


def _as_counts(entry: NumberedFrame) -> NumberedFrame:
    """Return the frame with uint8 or uint16 pixels, (height, width)."""
    pixels: Any = entry.frame.pixels
    if pixels.dtype in (np.uint8, np.uint16) and pixels.ndim == 2:
        return entry
    flat = np.nan_to_num(np.atleast_2d(pixels), nan=0.0, posinf=65535.0, neginf=0.0)
    counts = np.clip(np.rint(flat), 0, 65535).astype(np.uint16)
    return NumberedFrame(entry.number, replace(entry.frame, pixels=counts))
