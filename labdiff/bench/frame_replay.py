"""Continue a measurement that a crash cut short: requests that were answered are answered again.

A routine is a function of the frames it takes. Run anew from its start, it requests the same frames in the
same order; those that the log holds come from there, without waiting and without touching SLM or camera,
and the first that it does not hold is measured. Thus no routine knows of resuming, and each resumes
to the frame. Where a request differs from the recorded one, the rest of the log is of another measurement
and is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from drivers.camera.wrapper import CameraWrapper
from drivers.errors import DeviceStateError
from drivers.protocols import Camera, ReadOut, TriggeredReadOut
from drivers.types import Frame, PatternId
from labdiff.bench.devices import BenchDevices
from labdiff.bench.frame_log import FrameLog, Record
from labdiff.bench.recorded_devices import (
    BEFORE_ALL,
    RecordedClock,
    RecordedModulator,
    RecordedSlm,
    ReplayProgress,
)


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """What a frame is requested with.

    digest: of all that the frame depends on. readings_s: of the clock since the request before.
    """

    digest: str
    pattern: PatternId
    readings_s: tuple[float, ...]


@dataclass(slots=True)
class RoutineRecording:
    """The frames of one routine so far.

    frames: number of all of them; from_log: of those that came from the log. catch_up: displays what was
    only noted while the log answered. dropped: the log is deleted when the recording is left.
    """

    log: FrameLog
    catch_up: Callable[[], None]
    frames: int = 0
    from_log: int = 0
    dropped: bool = False

    def finish(self) -> None:
        """Delete the frames of a routine whose result is stored; the devices are as it left them."""
        self.catch_up()
        self.log.clear()

    def drop(self) -> None:
        """Delete the frames of a routine that failed: answered by the same frames, it would fail again."""
        self.dropped = True


class FrameReplay:
    """Records the frames of a routine in a log, and answers from there those that it holds already.

    devices: the bench's, between which and the bench this stands; outside a routine calls pass through.
    """

    def __init__(self, devices: BenchDevices) -> None:
        self._progress = ReplayProgress()
        self._laser = devices.laser
        self._slm = RecordedSlm(devices.slm, self._progress)
        self._dmd = None if devices.dmd is None else RecordedModulator(devices.dmd, self._progress)
        self._clock = RecordedClock(devices.clock, self._progress)
        self._camera = RecordedCamera(devices.camera, self)
        self._recording: RoutineRecording | None = None
        self._answers: Iterator[Record] = iter(())
        self.devices = replace(
            devices, slm=self._slm, dmd=self._dmd, clock=self._clock, camera=self._camera
        )

    @property
    def recording(self) -> RoutineRecording | None:
        """The recording of the routine in progress; None outside of one."""
        return self._recording

    @property
    def live(self) -> bool:
        """True once everything in the log has been answered."""
        return self._progress.live

    @contextmanager
    def record(self, log: FrameLog) -> Iterator[RoutineRecording]:
        """Record the routine that runs while this is entered; its frames in the log are answered first.

        Afterwards the log is still there: `RoutineRecording.finish` deletes it once the result is stored.
        """
        recording = self._recording = RoutineRecording(log, self._catch_up)
        self._answers = log.records()
        self._progress.recording = True
        self._progress.following = next(self._answers, None)
        self._clock.begin()
        for modulator in self._modulators:
            modulator.begin()
        try:
            yield recording
        finally:
            self._recording, self._answers = None, iter(())
            self._progress.recording, self._progress.following = False, None
            self._clock.end()
            for modulator in self._modulators:
                modulator.end()
            if recording.dropped:
                log.clear()

    def answer(self, recording: RoutineRecording) -> Frame | None:
        """Return the recorded frame of the present request; None if it has to be measured."""
        record = self._progress.following
        recording.frames += 1
        if record is None:
            return None
        if record.request != self._digest():
            self._go_live()
            recording.log.clear()
            return None
        pattern = self._pattern
        self._progress.following = next(self._answers, None)
        recording.from_log += 1
        self._clock.go_on_from(record)
        if self.live:
            self._go_live()
        return Frame(
            record.pixels,
            record.exposure_ms,
            record.timestamp_s,
            BEFORE_ALL + recording.frames - (0 if record.new else 1),
            pattern if record.of_its_pattern else None,
            record.saturated_fraction,
            self._camera.roi,
        )

    def request(self) -> FrameRequest:
        """Return what is displayed and set as an exposure begins; it may change before the read-out."""
        return FrameRequest(self._digest(), self._pattern, self._clock.readings())

    def append(
        self, recording: RoutineRecording, frame: Frame, request: FrameRequest, new: bool
    ) -> None:
        """Write a measured frame into the log.

        Args:
            recording: of the routine.
            frame: that was measured.
            request: for which it was measured.
            new: whether the camera delivers it for the first time.
        """
        recording.log.append(
            Record(
                request=request.digest,
                new=new,
                of_its_pattern=frame.pattern_id == request.pattern,
                exposure_ms=frame.exposure_ms,
                timestamp_s=frame.timestamp_s,
                readings_s=request.readings_s,
                after_s=self._clock.real.now_s(),
                saturated_fraction=frame.saturated_fraction,
                pixels=np.asarray(frame.pixels),
            )
        )

    @property
    def _modulators(self) -> tuple[RecordedSlm | RecordedModulator, ...]:
        return (self._slm,) if self._dmd is None else (self._slm, self._dmd)

    @property
    def _pattern(self) -> PatternId:
        """The pattern of which a frame is expected to be."""
        return (self._dmd or self._slm).pattern

    def _digest(self) -> str:
        """Return the digest of all that a frame depends on and that can be set."""
        parts = [self._slm.digest, self._dmd.digest if self._dmd else b""]
        camera, laser = self._camera, self._laser
        settings = (camera.exposure_ms, camera.roi, laser.emission, laser.power_mw)
        parts.append(repr(settings).encode())
        return hashlib.blake2b(b"|".join(parts), digest_size=16).hexdigest()

    def _catch_up(self) -> None:
        if not self.live:
            self._go_live()

    def _go_live(self) -> None:
        """Display what was only noted while the log answered, and let the devices settle."""
        self._answers, self._progress.following = iter(()), None
        self._clock.end()
        waits_ms = [modulator.catch_up() for modulator in self._modulators]
        self._clock.real.sleep_s(max(*waits_ms, self._laser.timing.total_ms) / 1e3)


class RecordedCamera(CameraWrapper):
    """A camera; frames that the log holds come from there, others are written into it."""

    def __init__(self, camera: Camera, replay: FrameReplay) -> None:
        super().__init__(camera)
        self._replay = replay
        self._last_sequence = -1

    def expose(self) -> ReadOut:
        """Expose once, or take the frame from the log."""
        replay, recording = self._replay, self._replay.recording
        if recording is None:
            return super().expose()
        recorded = replay.answer(recording)
        if recorded is not None:
            return lambda: recorded
        request, read = replay.request(), super().expose()

        def measured() -> Frame:
            frame = read()
            # A frame that was handed out before keeps its old number, by which the bench knows it.
            replay.append(recording, frame, request, new=frame.sequence > self._last_sequence)
            self._last_sequence = frame.sequence
            return frame

        return measured

    def get_frame(self) -> Frame:
        """Expose once, from now, and return the frame."""
        return super().get_frame() if self._replay.recording is None else self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """True if `triggered` may be used: not while recording, where frames are taken one by one."""
        return self._replay.recording is None and super().has_trigger_input

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Let the trigger input expose. Raises DeviceStateError while recording."""
        if self._replay.recording is not None:
            raise DeviceStateError(f"{self.name}: its trigger input is not used in a recording")
        return super().triggered(count)
