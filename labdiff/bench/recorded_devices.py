"""Modulators and clock of a bench whose frames are recorded, and answered from a log after a crash."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass

from drivers.modulator.wrapper import ModulatorWrapper
from drivers.protocols import SLM, InputModulator
from drivers.slm.wrapper import SlmWrapper
from drivers.types import FloatArray, PatternId
from drivers.wrapper import D, DisplayCommand, PatternWrapper
from labdiff.bench.clock import BenchClock
from labdiff.bench.frame_log import Record

BEFORE_ALL = -(2**40)
"""Patterns and frames from a log have numbers from here on, below all real ones."""


@dataclass(slots=True)
class ReplayProgress:
    """What all recorded devices of a bench know: whether frames are recorded, and the next of the log.

    recording: a routine is in progress. following: the frame that answers the next request; None once the
    log has answered all that it holds.
    """

    recording: bool = False
    following: Record | None = None

    @property
    def live(self) -> bool:
        """True if requests go to the devices and not to the log."""
        return self.following is None


class RecordedPatterns(PatternWrapper[D]):
    """A modulator; while the log answers, patterns are noted and not displayed.

    pattern: id of the displayed pattern. digest: of the displayed pattern and of how it is displayed.
    """

    def __init__(self, device: D, progress: ReplayProgress) -> None:
        super().__init__(device)
        self._progress = progress
        self._noted: tuple[DisplayCommand[D], FloatArray] | None = None
        self._lut_digest = b""
        self.pattern: PatternId = BEFORE_ALL
        self.digest = b""

    def begin(self) -> None:
        """Begin a routine: what was displayed before is no part of its requests."""
        self._noted, self.digest = None, b""
        if not self._progress.live:
            self.pattern = BEFORE_ALL

    def end(self) -> None:
        """End a routine; what was only noted is dropped."""
        self._noted = None

    def catch_up(self) -> float:
        """Display what was noted; return the milliseconds that this takes."""
        if self._noted is None:
            return 0.0
        command, pattern = self._noted
        self._noted = None
        self.pattern = super()._display(command, pattern)
        return self.timing.total_ms

    def _display(self, command: DisplayCommand[D], pattern: FloatArray) -> PatternId:
        if self._progress.recording:
            how = f"{command.name} {pattern.shape} {pattern.dtype} ".encode()
            self.digest = how + _digest(pattern) + self._lut_digest
        if self._progress.live:
            self._noted = None
            self.pattern = super()._display(command, pattern)
        else:
            self._noted = (command, pattern.copy())
            self.pattern += 1
        return self.pattern


class RecordedSlm(RecordedPatterns[SLM], SlmWrapper):
    """An SLM; its phase response is always set, since it costs no frame."""

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        super().set_lut(phase_by_grey_rad)
        self._lut_digest = b"" if phase_by_grey_rad is None else _digest(phase_by_grey_rad)

    @property
    def reported_pattern(self) -> PatternId | None:
        """The pattern that the panel reports; while the log answers, the one that was noted."""
        return self.pattern if self._noted is not None else super().reported_pattern


class RecordedModulator(RecordedPatterns[InputModulator], ModulatorWrapper):
    """An input modulator."""


class RecordedClock:
    """A clock that does not wait for recorded frames, and repeats what was read between them."""

    def __init__(self, real: BenchClock, progress: ReplayProgress) -> None:
        self.real, self._progress = real, progress
        self._read: list[float] = []
        self._answers: deque[float] = deque()

    def begin(self) -> None:
        """Begin a routine."""
        self._read.clear()
        self._expect(self._progress.following)

    def end(self) -> None:
        """End a routine: from now on the real clock is read."""
        self._answers.clear()

    def go_on_from(self, record: Record) -> None:
        """Continue after a recorded frame; a clock that moves only while somebody waits is moved on."""
        self.real.catch_up(record.after_s)
        self._expect(self._progress.following)

    def readings(self) -> tuple[float, ...]:
        """Return what was read since the last call."""
        read = tuple(self._read)
        self._read.clear()
        return read

    def now_s(self) -> float:
        """Return the real time, or the recorded one."""
        now_s = self._answers.popleft() if self._answers else self.real.now_s()
        if self._progress.recording and self._progress.live:
            self._read.append(now_s)
        return now_s

    def sleep_s(self, seconds: float) -> None:
        """Wait, unless the log answers."""
        if self._progress.live:
            self.real.sleep_s(seconds)

    def catch_up(self, now_s: float) -> None:
        """Let virtual time go on from a moment."""
        self.real.catch_up(now_s)

    def _expect(self, record: Record | None) -> None:
        self._answers = deque(record.readings_s if record else ())


def _digest(values: FloatArray) -> bytes:
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()
