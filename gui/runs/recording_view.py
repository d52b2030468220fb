"""A recording of the live view again: frame by frame, each with the settings it was taken with."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.live.canvas import Canvas
from gui.live.frame_status import frame_description
from gui.live.frames_file import FramesFile, open_frames
from gui.live.levels import COLOUR_MAPS, ColourTable, LevelMode, Levels, colours, levels_of
from gui.live.statistics import Statistics, statistics_of
from gui.process.frame_ring import NumberedFrame
from gui.runs.runs_model import moment
from gui.style import style, theme
from gui.widgets.background import Background
from gui.widgets.choice import Choice
from gui.widgets.plain_label import PlainLabel
from gui.widgets.scrubber import Scrubber

FULL, OWN = "full range", "min/max of the frame"
NO_PERCENTILES = (0.0, 100.0)


class RecordingView(QWidget):
    """Reads one frame at a time, in another thread, and of those asked for meanwhile the last only.

    Attributes:
        problem: Emitted with a message when a frame cannot be read.
    """

    problem = Signal(str)

    def __init__(self, name: str = "recording") -> None:
        super().__init__()
        self.setObjectName(f"{name}_view")
        self._background = Background(self)
        self._file: FramesFile | None = None
        self._path: Path | None = None
        self._wanted: int | None = None
        self._reading = False
        self._first_s = 0.0
        self._shown: tuple[NumberedFrame, Statistics] | None = None
        self._build(name)
        style.changed.connect(self._colour)

    @property
    def busy(self) -> bool:
        """True while a frame is being read."""
        return self._background.busy

    def show_file(self, path: Path) -> None:
        """Open a recording, or the same again, which may have grown."""
        if path != self._path:
            self.clear()
            self.heading.setText("opening ...")
        self._path = path

        def work() -> tuple[FramesFile, float]:
            file = open_frames(path)
            return file, file.read(0).frame.timestamp_s

        self._background.start(work, self._on_opened, self.problem.emit)

    def clear(self) -> None:
        """Close the file and show nothing."""
        self._path = self._wanted = self._shown = None
        if self._file is not None:
            self._background.start(self._file.close, lambda _: None, self.problem.emit)
            self._file = None
        self.scrubber.set_count(0)
        self.canvas.show_entry(None)
        for label in (self.heading, self.message, self.read_out, self.scrubber.place_label):
            label.clear()

    def _build(self, name: str) -> None:
        self.canvas = Canvas()
        self.canvas.setObjectName(f"{name}_canvas")
        self.canvas.setToolTip("Drag to move, turn the wheel to zoom; + and -, F fits, 1 is 1:1")
        self.canvas.empty_text = ""
        self.canvas.hovered.connect(self._read_out)
        self.heading, self.message, self.read_out = PlainLabel(), PlainLabel(), PlainLabel()
        self.heading.setObjectName(f"{name}_heading")
        self.message.setObjectName(f"{name}_message")
        self.message.setWordWrap(True)
        self.levels = Choice(f"{name}_levels", "The counts of the first and of the last colour")
        self.levels.addItems([OWN, FULL])
        self.colours = Choice(f"{name}_colours", "Colours from low to high counts")
        self.colours.addItems(COLOUR_MAPS)
        for choice in (self.levels, self.colours):
            choice.currentTextChanged.connect(self._colour)
        self.scrubber = Scrubber(
            name,
            "From the first frame to the last",
            "Play the frames, one after another",
            "9999 of 9999 ",
        )
        self.scrubber.moved.connect(self._want)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        for widget in (PlainLabel("Levels"), self.levels, PlainLabel("Colours"), self.colours):
            top.addWidget(widget)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.read_out)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.canvas, 1)
        layout.addLayout(below)
        layout.addWidget(self.scrubber)

    def _on_opened(self, found: tuple[FramesFile, float]) -> None:
        file, first_s = found
        if file.path != self._path:  # another one was chosen meanwhile
            self._background.start(file.close, lambda _: None, self.problem.emit)
            return
        before, self._file, self._first_s = self._file, file, first_s
        if before is not None:
            self._background.start(before.close, lambda _: None, self.problem.emit)
        metadata = file.metadata
        self.canvas.set_sensor((metadata.sensor_height, metadata.sensor_width))
        self.heading.setText(
            f"{metadata.bench}, {moment(metadata.start_time)}, {metadata.bit_depth} bits, sensor "
            f"{metadata.sensor_width} x {metadata.sensor_height} px"
        )
        self.scrubber.set_count(file.count)
        self._want(self.scrubber.place)

    def _want(self, place: int) -> None:
        self._wanted = place
        if not self._reading:
            self._read()

    def _read(self) -> None:
        file, place = self._file, self._wanted
        if file is None or place is None:
            return
        self._reading, self._wanted = True, None

        def work() -> tuple[int, NumberedFrame, Statistics]:
            entry = file.read(place)
            return place, entry, statistics_of(entry.frame.pixels)

        self._background.start(work, self._on_read, self._on_unreadable)

    def _on_read(self, found: tuple[int, NumberedFrame, Statistics]) -> None:
        place, entry, statistics = found
        self._reading = False
        file = self._file
        if file is not None:
            self._shown = entry, statistics
            self._colour()
            self.canvas.show_entry(entry)
            self._describe(file.count, place, entry)
        self._read()

    def _on_unreadable(self, message: str) -> None:
        self._reading = False
        self.scrubber.stop()
        self.problem.emit(message)

    def _describe(self, count: int, place: int, entry: NumberedFrame) -> None:
        time_s = entry.frame.timestamp_s - self._first_s
        self.message.setText(
            f"{time_s:+.3f} s · number {entry.number} · {frame_description(entry.frame)}"
        )
        self.scrubber.place_label.setText(f"{place + 1} of {count}")

    def _colour(self) -> None:
        if self._shown is None or self._file is None:
            return
        maximum = self._file.metadata.maximum_counts
        full = self.levels.currentText() == FULL
        mode = LevelMode.FIXED if full else LevelMode.MIN_MAX
        levels = levels_of(mode, Levels(0, maximum), NO_PERCENTILES, self._shown[1])
        saturated = QColor(theme().saturated).rgb() & 0xFFFFFF
        chosen = colours(self.colours.currentText())
        self.canvas.set_table(ColourTable(levels, chosen, maximum, saturated))

    def _read_out(self, place: tuple[int, int] | None) -> None:
        self.read_out.clear()
        if place is None or self._shown is None:
            return
        frame = self._shown[0].frame
        at = (place[0] - frame.roi.top, place[1] - frame.roi.left)
        if all(0 <= a < n for a, n in zip(at, frame.pixels.shape, strict=True)):
            self.read_out.setText(
                f"row {place[0]}, column {place[1]}: {int(frame.pixels[at])} counts"
            )
