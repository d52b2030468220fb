"""Frames from the ring to what shows them, as they arrive."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from gui.process.frame_ring import FrameRing, NumberedFrame

POLL_MS = 4
"""Time between two polls: well under the 16 ms of a fast camera's frame; a poll takes microseconds."""


class FrameFeed(QObject):
    """Polls the ring from the event loop.

    Args:
        show: Called with the newest frame.
        every: If it returns True, `show` is called with all frames that were not overwritten, one after
            the other, for a recording; overwritten frames are a gap in the numbers.
        parent: Qt's owner of this object.
    """

    def __init__(
        self,
        show: Callable[[NumberedFrame], None],
        every: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._show, self._every = show, every
        self._ring: FrameRing | None = None
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=POLL_MS)
        self._timer.timeout.connect(self.poll)

    def start(self, ring: FrameRing) -> None:
        """Poll a ring from now on; whoever created it closes it after `stop`."""
        self._ring = ring
        self._timer.start()

    def stop(self) -> None:
        """Stop polling."""
        self._timer.stop()
        self._ring = None

    def poll(self) -> None:
        """Show what is in the ring now."""
        if self._ring is None:
            return
        if self._every():
            for entry in self._ring.unread():
                self._show(entry)
        elif (found := self._ring.newest()) is not None:
            self._show(found)
