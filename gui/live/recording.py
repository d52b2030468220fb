"""Write frames to disk in a thread of its own: the window hands them over and never waits."""

from __future__ import annotations

import errno
import queue
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from gui.live.frame_metadata import About
from gui.live.hdf5_stack import Hdf5Stack
from gui.live.tiff_stack import TiffStack
from gui.process.frame_ring import NumberedFrame

Stack: TypeAlias = Hdf5Stack | TiffStack
FORMATS: dict[str, type[Hdf5Stack] | type[TiffStack]] = {"HDF5": Hdf5Stack, "TIFF": TiffStack}
WAITING_BYTES = 256 * 1024 * 1024
"""Frames that wait for the disk take no more memory than this; later ones are dropped and counted."""
PUBLISH_S = 1.0


@dataclass(frozen=True, slots=True)
class RecordingState:
    """path: of the file now written. written, dropped: frames. over: nothing more will be written.

    trouble: why it ended before it was told to, in words; empty if it did not.
    """

    path: Path
    written: int = 0
    written_bytes: int = 0
    dropped: int = 0
    over: bool = False
    trouble: str = ""

    @property
    def words(self) -> str:
        """For the user."""
        done = "Recorded" if self.over else "Recording"
        text = f"{done} {self.written} frames, {self.written_bytes / 1e6:.1f} MB, to {self.path}"
        if self.dropped:
            text += f"; {self.dropped} dropped"
        return f"{text}. {self.trouble}" if self.trouble else text


class Recording:
    """Frames to FOLDER/NAME.h5 or .tif, and to NAME-2 ... when the shape changes or a file is full.

    Runs until `stop`, until the disk does not take it, or with `most` after so many frames.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        kind: str,
        about: About,
        most: int | None = None,
        waiting_bytes: int = WAITING_BYTES,
    ) -> None:
        self._stack_type = FORMATS[kind]
        self._folder, self._name, self._about, self._most = folder, name, about, most
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
        """How it stands now."""
        with self._lock:
            return self._state

    @property
    def wants_more(self) -> bool:
        """False once it is over, was told to stop, or has all the frames it was to take."""
        with self._lock:
            return not (self._stopping or self._state.over)

    def add(self, entry: NumberedFrame) -> None:
        """Hand a frame over; dropped if too many wait. A gap in the numbers counts as dropped too."""
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
        """Write what waits, then end; does not wait for it."""
        with self._lock:
            self._stopping = True
        self._queue.put(None)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over; True if it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        trouble = "It ended by a mistake of labdiff's own; the log says more."
        try:
            trouble = self._record()
        finally:
            with self._lock:
                lost = self._handed_over - self._state.written
                dropped = self._state.dropped + lost
                self._state = replace(self._state, over=True, trouble=trouble, dropped=dropped)

    def _record(self) -> str:
        """Write until told to stop; returns the trouble in words, empty if there was none."""
        trouble = ""
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
            trouble = _in_words(error)
        try:
            if stack is not None:
                stack.close()
        except OSError as error:
            trouble = trouble or _in_words(error)
        return trouble

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
            stack = self._stack_type(path, self._about, entry)
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


def _in_words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk is full: what was written before is whole. Free space, then record again."
    return f"It ended: {error.strerror or error}. What was written before is whole."
