"""Snapshots and recordings of what the live view shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.live.frame_metadata import RecordingMetadata
from gui.live.recording import Recording
from gui.process.frame_ring import NumberedFrame

LAST_WAIT_S = 5.0


class FrameRecorder(QObject):
    """Starts recordings and snapshots, adds frames to them, and reports their state.

    Attributes:
        progress: Emitted with a sentence about the recording at every `report`.
        ended: Emitted with a sentence about a snapshot or recording that has ended.
    """

    progress = Signal(str)
    ended = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.bench, self.folder = "", Path("runs") / "live"
        self.sensor_shape, self.bit_depth, self.maximum_counts = (0, 0), 8, 255
        self._recording: Recording | None = None
        self._snapshots: list[Recording] = []

    @property
    def recording(self) -> bool:
        """True while a recording takes frames."""
        return self._recording is not None and self._recording.wants_more

    def add(self, entry: NumberedFrame) -> None:
        """Add a frame to the recording, if one runs; return at once."""
        if self._recording is not None:
            self._recording.add(entry)

    def snapshot(self, entry: NumberedFrame, kind: str) -> None:
        """Save one frame in a format of `gui.live.recording.FORMATS`."""
        snapshot = self._open("snapshot", kind, most=1)
        snapshot.add(entry)
        self._snapshots.append(snapshot)

    def record(self, kind: str) -> None:
        """Save all frames from now on; there is one recording at a time."""
        if self._recording is None:
            self._recording = self._open("recording", kind)

    def stop(self) -> None:
        """Stop the recording; frames that wait are still written."""
        if self._recording is not None:
            self._recording.stop()

    def report(self) -> None:
        """Report the state of the recording, and what has ended."""
        for snapshot in [s for s in self._snapshots if s.state.over]:
            self._snapshots.remove(snapshot)
            self.ended.emit(snapshot.state.message)
        if self._recording is None:
            return
        state = self._recording.state
        self.progress.emit(state.message)
        if state.over:
            self._recording = None
            self.ended.emit(state.message)

    def finish(self) -> None:
        """Stop and wait, some seconds at most, until all is on the disk."""
        for recording in (self._recording, *self._snapshots):
            if recording is not None:
                recording.stop()
                recording.join(LAST_WAIT_S)

    def _open(self, what: str, kind: str, most: int | None = None) -> Recording:
        now = datetime.now(UTC)
        metadata = RecordingMetadata(
            self.bench, self.bit_depth, self.maximum_counts, *self.sensor_shape, now.isoformat()
        )
        # Milliseconds: two snapshots within a second are two files.
        name = f"{what}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
        return Recording(self.folder, name, kind, metadata, most)
