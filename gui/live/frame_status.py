"""The lines below the live view: counters, the frame's settings, the place under the mouse, a recording."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from drivers.types import Frame
from gui.live.rates import Rate
from gui.process.frame_ring import NumberedFrame
from gui.widgets.elided_label import ElidedLabel
from gui.widgets.plain_label import PlainLabel

BESIDE_CHARS = 90
"""Width in characters from which the place under the mouse stands beside the counters."""


class FrameStatus(QWidget):
    """Counts frames, and describes the newest one."""

    def __init__(self) -> None:
        super().__init__()
        self._acquired, self._shown, self._dropped = Rate(), Rate(), 0
        self._received = ""
        self.read_out = ElidedLabel("live_read_out")
        self.frame_label = ElidedLabel("live_frame_state")
        self.counters = ElidedLabel(
            "live_counters",
            "Acquired: frames the camera gave. Shown: painted on the screen. "
            "Dropped: overtaken by a newer one before they were painted.",
        )
        self.recording_label = PlainLabel()
        self.recording_label.setObjectName("live_recording_state")
        self.recording_label.setWordWrap(True)
        self.recording_label.hide()
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.addWidget(self.frame_label, 1, 0, 1, 2)
        grid.addWidget(self.recording_label, 3, 0, 1, 2)
        self._place(wide=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the place under the mouse a line of its own where the width is small."""
        self._place(event.size().width() >= BESIDE_CHARS * self.fontMetrics().averageCharWidth())
        super().resizeEvent(event)

    def _place(self, wide: bool) -> None:
        self._grid.addWidget(self.counters, 0, 0, 1, 1 if wide else 2)
        self._grid.addWidget(self.read_out, 0 if wide else 2, 1 if wide else 0, 1, 1 if wide else 2)
        side = Qt.AlignmentFlag.AlignRight if wide else Qt.AlignmentFlag.AlignLeft
        self.read_out.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)

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
