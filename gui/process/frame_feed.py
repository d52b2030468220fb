"""Take frames from the ring as they come and hand them to whoever shows them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from gui.process.frame_ring import FrameRing, NumberedFrame

LOOK_EVERY_MS = 4
"""Well under the 16 ms of a fast camera's frame; a look that finds nothing takes microseconds."""


class FrameFeed(QObject):
    """Looks into the ring from the event loop.

    show: gets the newest frame. every: if it says True, show gets all frames that can still be had,
    one after the other, for a recording; what cannot be had is a gap in the numbers.
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
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self, ring: FrameRing) -> None:
        """Look into this ring from now on; who created it closes it after `stop`."""
        self._ring = ring
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._ring = None

    def look(self) -> None:
        """Take what is there now."""
        if self._ring is None:
            return
        if self._every():
            for entry in self._ring.unread():
                self._show(entry)
        elif (found := self._ring.newest()) is not None:
            self._show(found)
