"""The lines below the live view: counters, the frame's settings, the place under the mouse, a recording."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from drivers.types import Frame
from gui.live.rates import Rate
from gui.process.frame_ring import NumberedFrame
from gui.widgets.plain_label import PlainLabel


class FrameStatus(QWidget):
    """Counts frames, and describes the newest one."""

    def __init__(self) -> None:
        super().__init__()
        self._acquired, self._shown, self._dropped = Rate(), Rate(), 0
        self._received = ""
        self.read_out = _label("live_read_out")
        self.frame_label = _label("live_frame_state")
        self.counters = _label("live_counters")
        self.counters.setToolTip(
            "Acquired: frames the camera gave. Shown: painted on the screen. "
            "Dropped: overtaken by a newer one before they were painted."
        )
        self.recording_label = _label("live_recording_state")
        self.recording_label.setWordWrap(True)
        self.recording_label.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.read_out, 0, 0)
        self.counters.setAlignment(Qt.AlignmentFlag.AlignRight)
        for label in (self.read_out, self.counters, self.frame_label):
            # However long their texts become, they move nothing.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        grid.addWidget(self.counters, 0, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        grid.addWidget(self.frame_label, 1, 0, 1, 2)
        grid.addWidget(self.recording_label, 2, 0, 1, 2)

    def count_acquired(
        self, number: int, before: NumberedFrame | None, waiting: bool, now_s: float
    ) -> None:
        """Count a frame that the camera gave, and those missed before it.

        Args:
            number: Number of the frame; one that is not above the last begins a new count.
            before: The last frame, or None.
            waiting: The last frame has not come to the screen.
            now_s: The time.
        """
        self._received = time.strftime("%H:%M:%S")
        if before is None or number <= before.number:
            self._acquired, self._shown, self._dropped = Rate(), Rate(), 0
            self._acquired.add(now_s)
            return
        new = number - before.number
        self._acquired.add(now_s, new)
        self._dropped += new - 1 + waiting

    def acquired_per_s(self, now_s: float) -> float:
        """Return how many frames came in each of the last seconds."""
        return self._acquired.per_s(now_s)

    def count_shown(self, now_s: float) -> None:
        """Count a frame that has come to the screen."""
        self._shown.add(now_s)

    def show_frame(self, frame: Frame | None, zoom: float, now_s: float) -> None:
        """Describe the newest frame; None if there is none.

        Args:
            frame: The frame.
            zoom: Screen pixels per sensor pixel.
            now_s: The time.
        """
        if frame is None:
            self.counters.clear()
            self.frame_label.clear()
            return
        acquired, shown = self._acquired, self._shown
        self.counters.setText(
            f"acquired {acquired.count} ({acquired.per_s(now_s):.1f}/s) · "
            f"shown {shown.count} ({shown.per_s(now_s):.1f}/s) · dropped {self._dropped}"
        )
        self.frame_label.setText(
            f"frame of {self._received}: {frame_description(frame)} · zoom {100.0 * zoom:.0f} %"
        )

    def show_place(self, frame: Frame | None, place: tuple[int, int] | None) -> None:
        """Read out the (row, column) under the mouse; None for nothing."""
        text = "" if place is None or frame is None else read_out(frame, place)
        self.read_out.setText(text)

    def show_recording(self, message: str) -> None:
        """Show the state of a recording."""
        self.recording_label.setText(message)
        self.recording_label.show()


def frame_description(frame: Frame) -> str:
    """Return exposure, region, pattern and saturation of a frame in one line."""
    pattern = "unknown" if frame.pattern_id is None else str(frame.pattern_id)
    return (
        f"exposure {frame.exposure_ms:.4g} ms · {frame.roi.width} x {frame.roi.height} px at row "
        f"{frame.roi.top}, column {frame.roi.left} · pattern {pattern} · "
        f"saturated {100.0 * frame.saturated_fraction:.3g} %"
    )


def read_out(frame: Frame, place: tuple[int, int]) -> str:
    """Return the counts of a frame at (row, column) on the sensor, as text."""
    row, column = place
    at = (row - frame.roi.top, column - frame.roi.left)
    inside = all(0 <= a < n for a, n in zip(at, frame.pixels.shape, strict=True))
    counts = f"{int(frame.pixels[at])} counts" if inside else "outside the frame"
    return f"row {row}, column {column}: {counts}"


def _label(name: str) -> QLabel:
    label = PlainLabel()
    label.setObjectName(name)
    return label
