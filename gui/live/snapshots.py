"""Snapshots and recordings of what the live view shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.live.frame_metadata import RecordingMetadata
from gui.live.recording import FORMATS, Recording
from gui.process.frame_ring import NumberedFrame
from labdiff.errors import UserError

LAST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What a recording is to be.

    Attributes:
        name: Of its files, without their ending.
        dated: Whether the time is added to the name.
        most: Number of frames after which it ends; None for no such number.
        seconds: Time after which it ends; None for no such time.
        note: What is written about it into the file.
    """

    name: str = "recording"
    dated: bool = True
    most: int | None = None
    seconds: float | None = None
    note: str = ""


class FrameRecorder(QObject):
    """Starts recordings and snapshots, adds frames to them, and reports their state.

    Attributes:
        progress: Emitted with a sentence about the recording at every `report`.
        ended: Emitted with a sentence about a snapshot or recording that has ended.
    """

    progress = Signal(str)
    ended = Signal(str)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._ends_s = clock, float("inf")
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
            if self._clock() >= self._ends_s:
                self._recording.stop()
            self._recording.add(entry)

    def snapshot(self, entry: NumberedFrame, kind: str) -> None:
        """Save one frame in a format of `gui.live.recording.FORMATS`."""
        snapshot = self._open(RecordingPlan("snapshot", most=1), kind)
        snapshot.add(entry)
        self._snapshots.append(snapshot)

    def record(self, kind: str, plan: RecordingPlan) -> None:
        """Save frames from now on; there is one recording at a time.

        Args:
            kind: A key of `gui.live.recording.FORMATS`.
            plan: Its name, and when it ends.

        Raises:
            UserError: If the name is none for a file, or a file of that name exists.
        """
        if self._recording is None:
            _require_file_name(plan.name)
            path = self.folder / f"{plan.name}{FORMATS[kind].suffix}"
            if not plan.dated and path.exists():
                raise UserError(
                    f"{path}: exists; give another name, or let the time be added to it"
                )
            self._ends_s = self._clock() + (plan.seconds or float("inf"))
            self._recording = self._open(plan, kind)

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
        if self._clock() >= self._ends_s:
            self._recording.stop()
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

    def _open(self, plan: RecordingPlan, kind: str) -> Recording:
        now = datetime.now(UTC)
        metadata = RecordingMetadata(
            self.bench,
            self.bit_depth,
            self.maximum_counts,
            *self.sensor_shape,
            now.isoformat(),
            plan.note,
        )
        # Milliseconds: two snapshots within a second are two files.
        time_of_it = f"-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}" if plan.dated else ""
        return Recording(self.folder, f"{plan.name}{time_of_it}", kind, metadata, plan.most)


def _require_file_name(name: str) -> None:
    """Refuse what is no name of a file on every system. Raises UserError."""
    wrong = sorted(set(name) & set('<>:"/\\|?*')) + [c for c in name if not c.isprintable()]
    if wrong or not name.strip(" ."):
        what = f"contains {' '.join(map(repr, wrong))}" if wrong else "is empty"
        raise UserError(f"Name: {name!r} {what}; allowed are letters, digits, spaces, - _ and .")
