"""Snapshots and recordings of what the live view shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.live.frame_metadata import About
from gui.live.recording import Recording
from gui.process.frame_ring import NumberedFrame

LAST_WAIT_S = 5.0


class Keeper(QObject):
    """Opens recordings, hands frames over, and says what became of them."""

    told = Signal(str)
    """How the recording stands, in words, whenever it was asked to `look`."""
    over = Signal(str)
    """A snapshot or the recording has ended: where it is, or what went wrong, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.bench, self.folder = "", Path("runs") / "live"
        self.sensor_shape, self.bit_depth, self.maximum_counts = (0, 0), 8, 255
        self._recording: Recording | None = None
        self._snapshots: list[Recording] = []

    @property
    def recording(self) -> bool:
        """True while it takes frames."""
        return self._recording is not None and self._recording.wants_more

    def add(self, entry: NumberedFrame) -> None:
        """One more frame, if a recording runs; never waits."""
        if self._recording is not None:
            self._recording.add(entry)

    def snapshot(self, entry: NumberedFrame, kind: str) -> None:
        """Keep one frame. kind: as in `gui.live.recording.FORMATS`."""
        kept = self._open("snapshot", kind, most=1)
        kept.add(entry)
        self._snapshots.append(kept)

    def record(self, kind: str) -> None:
        """Keep all frames from now on; one recording at a time."""
        if self._recording is None:
            self._recording = self._open("recording", kind)

    def stop(self) -> None:
        """Take no more; what waits is still written."""
        if self._recording is not None:
            self._recording.stop()

    def look(self) -> None:
        """Say how the recording stands and what has ended."""
        for kept in [s for s in self._snapshots if s.state.over]:
            self._snapshots.remove(kept)
            self.over.emit(kept.state.words)
        if self._recording is None:
            return
        state = self._recording.state
        self.told.emit(state.words)
        if state.over:
            self._recording = None
            self.over.emit(state.words)

    def finish(self) -> None:
        """Stop and wait, some seconds at most, until all is on the disk."""
        for kept in (self._recording, *self._snapshots):
            if kept is not None:
                kept.stop()
                kept.join(LAST_WAIT_S)

    def _open(self, what: str, kind: str, most: int | None = None) -> Recording:
        now = datetime.now(UTC)
        about = About(
            self.bench, self.bit_depth, self.maximum_counts, *self.sensor_shape, now.isoformat()
        )
        # Milliseconds: two snapshots within a second are two files.
        name = f"{what}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
        return Recording(self.folder, name, kind, about, most)
