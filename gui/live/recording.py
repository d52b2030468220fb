"""A recording: frames are written to disk in a thread of its own, for which the window never waits."""

from __future__ import annotations

import errno
import queue
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from gui.live.frame_metadata import RecordingMetadata
from gui.live.hdf5_stack import Hdf5Stack
from gui.live.tiff_stack import TiffStack
from gui.process.frame_ring import NumberedFrame

Stack: TypeAlias = Hdf5Stack | TiffStack
FORMATS: dict[str, type[Hdf5Stack] | type[TiffStack]] = {"HDF5": Hdf5Stack, "TIFF": TiffStack}
WAITING_BYTES = 256 * 1024 * 1024
"""Memory of frames that wait for the disk; later frames are dropped and counted."""
PUBLISH_S = 1.0


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How far a recording is.

    Attributes:
        path: The file that is being written.
        written: Number of frames written.
        written_bytes: Their bytes.
        dropped: Number of frames dropped.
        over: Nothing more will be written.
        problem: Why it has ended before it was stopped; empty if it has not.
    """

    path: Path
    written: int = 0
    written_bytes: int = 0
    dropped: int = 0
    over: bool = False
    problem: str = ""

    @property
    def message(self) -> str:
        """The state in a sentence."""
        done = "Recorded" if self.over else "Recording"
        text = f"{done} {self.written} frames, {self.written_bytes / 1e6:.1f} MB, to {self.path}"
        if self.dropped:
            text += f"; {self.dropped} dropped"
        return f"{text}. {self.problem}" if self.problem else text


class Recording:
    """Writes frames to FOLDER/NAME.h5 or .tif, and to NAME-2 ... when the shape changes or a file is full.

    It runs until `stop`, until the disk does not take a frame, or until it has `most` frames.

    Args:
        folder: Folder of the files; it is created.
        name: Name of the first file, without its ending.
        kind: A key of `FORMATS`.
        metadata: What holds for all frames.
        most: Number of frames after which it ends; None for no such number.
        waiting_bytes: Memory of frames that wait for the disk.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        kind: str,
        metadata: RecordingMetadata,
        most: int | None = None,
        waiting_bytes: int = WAITING_BYTES,
    ) -> None:
        self._stack_type = FORMATS[kind]
        self._folder, self._name, self._metadata, self._most = folder, name, metadata, most
        self._waiting_limit = waiting_bytes
        self._waiting_bytes = 0
        self._handed_over = 0
        self._stopping = False
        self._last_number: int | None = None
        self._files = 0
        self._queue: queue.SimpleQueue[NumberedFrame | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._state = RecordingState(folder / f"{name}{self._stack_type.suffix}")
        self._thread = threading.Thread(target=self._run, name="recording")
        self._thread.start()

    @property
    def state(self) -> RecordingState:
        """The present state."""
        with self._lock:
            return self._state

    @property
    def wants_more(self) -> bool:
        """False once it is over, was stopped, or has all its frames."""
        with self._lock:
            return not (self._stopping or self._state.over)

    def add(self, entry: NumberedFrame) -> None:
        """Add a frame, which is dropped if too many wait; a gap in the numbers counts as dropped too."""
        size = entry.frame.pixels.nbytes
        with self._lock:
            if self._stopping or self._state.over:
                return
            missed = 0 if self._last_number is None else entry.number - self._last_number - 1
            self._last_number = entry.number
            room = self._waiting_bytes + size <= self._waiting_limit or self._waiting_bytes == 0
            dropped = self._state.dropped + max(0, missed) + (not room)
            self._state = replace(self._state, dropped=dropped)
            if not room:
                return
            self._waiting_bytes += size
            self._handed_over += 1
            enough = self._handed_over == self._most
        self._queue.put(entry)
        if enough:
            self.stop()

    def stop(self) -> None:
        """Let the recording write what waits and end; return at once."""
        with self._lock:
            self._stopping = True
        self._queue.put(None)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the recording is over; return whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        problem = "It has ended by a mistake of labdiff's own; the log says more."
        try:
            problem = self._record()
        finally:
            with self._lock:
                lost = self._handed_over - self._state.written
                dropped = self._state.dropped + lost
                self._state = replace(self._state, over=True, problem=problem, dropped=dropped)

    def _record(self) -> str:
        """Write until the recording is stopped; return what went wrong, empty if nothing did."""
        problem = ""
        stack: Stack | None = None
        published_s = time.monotonic()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            while (entry := self._queue.get()) is not None:
                stack = self._write(stack, entry)
                if time.monotonic() - published_s > PUBLISH_S:
                    stack.publish()
                    published_s = time.monotonic()
        except OSError as error:
            problem = _message_of(error)
        try:
            if stack is not None:
                stack.close()
        except OSError as error:
            problem = problem or _message_of(error)
        return problem

    def _write(self, stack: Stack | None, entry: NumberedFrame) -> Stack:
        pixels = entry.frame.pixels
        if (
            stack is None
            or stack.full
            or (stack.shape, stack.dtype) != (pixels.shape, pixels.dtype)
        ):
            if stack is not None:
                stack.close()
            self._files += 1
            end = "" if self._files == 1 else f"-{self._files}"
            path = self._folder / f"{self._name}{end}{self._stack_type.suffix}"
            stack = self._stack_type(path, self._metadata, entry)
        else:
            stack.append(entry)
        with self._lock:
            self._waiting_bytes -= pixels.nbytes
            self._state = replace(
                self._state,
                path=stack.path,
                written=self._state.written + 1,
                written_bytes=self._state.written_bytes + pixels.nbytes,
            )
        return stack


def _message_of(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            "The disk is full: what was written before is complete. Free space, then record again."
        )
    return f"It has ended: {error.strerror or error}. What was written before is complete."
