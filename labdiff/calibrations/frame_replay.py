"""Go on with a measurement that a crash cut short: requests that were answered are answered again.

A routine is a function of the frames it takes. Run anew from its start, it asks for the same frames in the
same order; those that the log holds come from there, without waiting and without touching SLM or camera,
and the first that it does not hold is measured. Thus no routine knows of resuming, and each resumes
to the frame. Where a request differs from the recorded one, the rest of the log is of another measurement
and is dropped.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.camera.wrapper import WrappedCamera
from drivers.errors import DeviceStateError
from drivers.protocols import SLM, Camera, InputModulator, ReadOut, TriggeredReadOut
from drivers.types import FloatArray, Frame, PatternId, Timing
from labdiff.bench.bench import Bench
from labdiff.bench.clock import Clock
from labdiff.calibrations.frame_log import FrameLog, Record

BEFORE_ALL = -(2**40)


@dataclass(frozen=True, slots=True)
class Asked:
    """request: digest of all that the frame depends on. readings_s: of the clock since the one before."""

    request: str
    pattern: PatternId
    readings_s: tuple[float, ...]


class Replay:
    """Stands between a bench and its SLM, DMD, camera and clock; `begin` and `end` frame a routine.

    Patterns and frames from the log have numbers below all real ones, so that they are never confused.
    Outside a routine everything passes straight through.
    """

    def __init__(self, bench: Bench, log: FrameLog) -> None:
        self._bench, self._log = bench, log
        self._answers: Iterator[Record] = iter(())
        self._next: Record | None = None
        self.recording = False
        self.frames = self.from_log = 0
        self.slm = bench.slm = _ReplayedSlm(bench.slm, self)
        self.dmd = None
        if bench.dmd is not None:
            self.dmd = bench.dmd = _ReplayedModulator(bench.dmd, self)
        self.camera = bench.camera = _ReplayedCamera(bench.camera, self)
        self.clock = bench.clock = _ReplayedClock(bench.clock, self)

    @property
    def live(self) -> bool:
        """True once everything in the log has been answered."""
        return self._next is None

    def begin(self) -> None:
        """The routine whose frames the log holds starts anew."""
        self._answers = self._log.records()
        self.frames = self.from_log = 0
        self.recording = True
        self._next = next(self._answers, None)
        self.clock.begin(self._next)
        if not self.live:
            self._bench.proof.last_sequence = BEFORE_ALL

    def end(self) -> None:
        """The routine is finished and its result kept: its frames are not needed any more."""
        if not self.live:
            self._go_live()
        self.recording = False
        self._log.clear()

    def drop(self) -> None:
        """Forget the frames of the routine at work."""
        self._answers, self._next = iter(()), None
        self.recording = False
        self._log.clear()

    def asked(self) -> Asked:
        """What stands as an exposure begins; by the time the frame is in hand, the next may stand."""
        pattern = (self.dmd or self.slm).pattern
        return Asked(self.request(), pattern, self.clock.readings())

    def request(self) -> str:
        """Digest of all that a frame depends on and that can be set."""
        parts = [self.slm.standing, self.dmd.standing if self.dmd else b""]
        camera, laser = self.camera, self._bench.laser
        settings = (camera.exposure_ms, camera.roi, laser.emission, laser.power_mw)
        parts.append(repr(settings).encode())
        return hashlib.blake2b(b"|".join(parts), digest_size=16).hexdigest()

    def answer(self) -> Record | None:
        """The recorded frame of the present request; None if it has to be measured."""
        record = self._next
        if record is None:
            return None
        if record.request != self.request():
            self._log.clear()
            self._go_live()
            return None
        self._next = next(self._answers, None)
        self.from_log += 1
        self.clock.go_on_from(record, self._next)
        if self.live:
            self._go_live()
        return record

    def keep(self, frame: Frame, asked: Asked, new: bool) -> None:
        """A frame was measured."""
        self._log.append(
            Record(
                request=asked.request,
                new=new,
                of_its_pattern=frame.pattern_id == asked.pattern,
                exposure_ms=frame.exposure_ms,
                timestamp_s=frame.timestamp_s,
                readings_s=asked.readings_s,
                after_s=self.clock.real.now_s(),
                saturated_fraction=frame.saturated_fraction,
                pixels=np.asarray(frame.pixels),
            )
        )

    def _go_live(self) -> None:
        """Put on the devices what was only noted while the log answered, and let them settle."""
        self._answers, self._next = iter(()), None
        waits_ms = [modulator.catch_up() for modulator in (self.slm, self.dmd) if modulator]
        self.clock.real.sleep_s(max(*waits_ms, self._bench.laser.timing.total_ms) / 1e3)


class _ReplayedModulator:
    """An input modulator; while the log answers, what is shown is only noted."""

    def __init__(self, real: InputModulator | SLM, replay: Replay) -> None:
        self._real: Any = real
        self._replay = replay
        self._noted: tuple[str, FloatArray] | None = None
        self._table = b""
        self.pattern: PatternId = BEFORE_ALL
        self.standing = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def timing(self) -> Timing:
        """As the real one declares."""
        timing: Timing = self._real.timing
        return timing

    def show(self, field: FloatArray) -> PatternId:
        """Show one input field."""
        return self._show("show", field)

    def catch_up(self) -> float:
        """Show what was noted; milliseconds that this takes."""
        if self._noted is None:
            return 0.0
        act, pattern = self._noted
        self._noted = None
        self.pattern = getattr(self._real, act)(pattern)
        return self.timing.total_ms

    def _show(self, act: str, pattern: FloatArray) -> PatternId:
        if not self._replay.recording:
            self.pattern = getattr(self._real, act)(pattern)
            return self.pattern
        words = f"{act} {pattern.shape} {pattern.dtype} ".encode()
        self.standing = words + _digest(pattern) + self._table
        if self._replay.live:
            self._noted = None
            self.pattern = getattr(self._real, act)(pattern)
        else:
            self._noted = (act, pattern.copy())
            self.pattern = min(self.pattern + 1, -1)
        return self.pattern


class _ReplayedSlm(_ReplayedModulator):
    """An SLM; its table of phases is always set, since it costs no frame."""

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response."""
        self._real.set_lut(phase_by_grey_rad)
        self._table = b"" if phase_by_grey_rad is None else _digest(phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern."""
        return self._show("set_phase", phase_rad)

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels."""
        return self._show("set_grey", grey)

    @property
    def shown(self) -> PatternId | None:
        """What the panel says; while the log answers, what was asked for."""
        shown: PatternId | None = self.pattern if self._noted is not None else self._real.shown
        return shown


class _ReplayedCamera(WrappedCamera):
    """A camera; frames that the log holds come from there, others go into it."""

    def __init__(self, real: Camera, replay: Replay) -> None:
        super().__init__(real)
        self._replay = replay
        self.last_real = -1

    def expose(self) -> ReadOut:
        """From the log, or measured and written into it."""
        replay = self._replay
        if not replay.recording:
            return self.real.expose()
        replay.frames += 1
        number = replay.frames
        pattern = (replay.dmd or replay.slm).pattern
        record = replay.answer()
        if record is None:
            asked, read = replay.asked(), self.real.expose()
            return lambda: self._kept(read(), asked)
        frame = Frame(
            record.pixels,
            record.exposure_ms,
            record.timestamp_s,
            BEFORE_ALL + number - (0 if record.new else 1),
            pattern if record.of_its_pattern else None,
            record.saturated_fraction,
            self.roi,
        )
        return lambda: frame

    @property
    def has_trigger_input(self) -> bool:
        """Frames that are recorded are taken one by one."""
        return self.real.has_trigger_input and not self._replay.recording

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """As the real one. Raises DeviceStateError while recording."""
        if self._replay.recording:
            raise DeviceStateError(
                f"{self.real.name}: its trigger input is not used in a recording"
            )
        return self.real.triggered(count)

    def _kept(self, frame: Frame, asked: Asked) -> Frame:
        # A frame that was handed out before keeps its old number, by which the bench knows it.
        self._replay.keep(frame, asked, new=frame.sequence > self.last_real)
        self.last_real = frame.sequence
        return frame


class _ReplayedClock:
    """Nobody waits for frames that were taken before; what the clock said between them, it says again."""

    def __init__(self, real: Clock, replay: Replay) -> None:
        self.real, self._replay = real, replay
        self._said: list[float] = []
        self._answers: deque[float] = deque()

    def begin(self, first: Record | None) -> None:
        """A routine starts; first: what the log holds of it."""
        self._said.clear()
        self._answers = deque(first.readings_s if first else ())

    def go_on_from(self, record: Record, following: Record | None) -> None:
        """A record was answered. A clock that only moves when somebody waits is moved on."""
        self.real.catch_up(record.after_s)
        self._answers = deque(following.readings_s if following else ())

    def readings(self) -> tuple[float, ...]:
        """What was said since the last call."""
        said = tuple(self._said)
        self._said.clear()
        return said

    def now_s(self) -> float:
        """As the real one, or as it was."""
        now_s = self._answers.popleft() if self._answers else self.real.now_s()
        if self._replay.recording and self._replay.live:
            self._said.append(now_s)
        return now_s

    def sleep_s(self, seconds: float) -> None:
        """Wait, unless the log answers."""
        if self._replay.live:
            self.real.sleep_s(seconds)

    def catch_up(self, now_s: float) -> None:
        """As the real one."""
        self.real.catch_up(now_s)


def _digest(values: FloatArray) -> bytes:
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()
