"""A reconnecting camera: a frame was exposed after it was requested, and the frames' numbers keep growing.

Only `get_frame` requests a frame again that did not come. After `expose` the light may have changed, and a
trigger's pattern has passed: there the caller has to display the pattern anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from drivers.camera.wrapper import CameraWrapper
from drivers.errors import DeviceDisconnectedError, DeviceTimeoutError
from drivers.protocols import Camera, ReadOut, TriggeredReadOut
from drivers.types import Frame
from drivers.wrapper import T
from labdiff.bench.reconnect import ReconnectingDevice, RetryContext
from labdiff.bench.snapshot import Values


@dataclass(frozen=True, slots=True)
class Watch:
    """A check that is made after a frame, at most every `every_ms`; what it raises is raised there."""

    check: Callable[[], None] = lambda: None
    every_ms: float = 0.0


NO_WATCH = Watch()


class ReconnectingCamera(ReconnectingDevice[Camera], CameraWrapper):
    """A camera that is reopened after it was lost. watch: the check of the light after a frame."""

    def __init__(
        self,
        kind: str,
        device: Camera,
        open_again: Callable[[], Camera],
        context: RetryContext,
        watch: Watch = NO_WATCH,
    ) -> None:
        super().__init__(kind, device, open_again, context)
        self._watch, self._watched_s = watch, 0.0
        self._offset, self._last, self._was_reopened = 0, -1, False

    def state(self) -> Values:
        """Return the settings, how frames are numbered, and when the light was checked."""
        state = super().state()
        state.update(offset=self._offset, last=self._last, watched_s=self._watched_s)
        return state | {"began_anew": int(self._was_reopened)}

    def restore(self, state: Values) -> None:
        """Set what is remembered from a state; the device itself is left alone."""
        super().restore(state)
        self._offset, self._last = int(state["offset"]), int(state["last"])
        self._watched_s, self._was_reopened = float(state["watched_s"]), bool(state["began_anew"])

    def get_frame(self) -> Frame:
        """Expose once, from now. Raises DeviceTimeoutError if only older frames come."""
        for _ in range(self._policy.tries):
            requested_s, reopened = self._clock.now_s(), self._fault_log.reopened
            frame = self._call(lambda camera: camera.get_frame())
            if self._is_old(frame, requested_s):
                continue
            reopened_meanwhile = self._fault_log.reopened - reopened
            self._check_light()
            if self._fault_log.reopened - reopened == reopened_meanwhile:
                return self.converted(frame)
        raise DeviceTimeoutError(
            f"{self.name}: {self._policy.tries} frames in a row were exposed before they were requested, "
            "or in the dark; check its trigger and its driver's queue"
        )

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    def expose(self) -> ReadOut:
        """Expose once, from now; what this returns waits for the frame.

        Whether the frame is an old one is for the caller to see, by its time and number.
        """
        read = self._call(lambda camera: camera.expose())

        def frame_of_it() -> Frame:
            frame = self._read_once(read)
            self._check_light()
            return self.converted(frame)

        return frame_of_it

    @contextmanager
    def triggered(self, count: int) -> Iterator[TriggeredReadOut]:
        """Let the trigger input expose while this is entered; once the camera was lost no frame comes."""
        with ExitStack() as stack:
            read = self._call(lambda camera: stack.enter_context(camera.triggered(count)))
            reopened = self._fault_log.reopened

            def frame_of_it() -> tuple[int, Frame]:
                if self._fault_log.reopened != reopened:
                    raise DeviceTimeoutError(f"{self.name}: was lost while it waited for triggers")
                number, frame = self._read_once(read)
                return number, self.converted(frame)

            yield frame_of_it

    def converted(self, frame: Frame) -> Frame:
        """Return the frame with a number that goes on from the last: a reopened camera may count anew."""
        if self._was_reopened:
            self._was_reopened = False
            self._offset = max(self._last + 1 - frame.sequence, 0)
        number = frame.sequence + self._offset
        self._last = max(self._last, number)
        if self._offset == 0:
            return frame
        return Frame(
            frame.pixels,
            frame.exposure_ms,
            frame.timestamp_s,
            number,
            frame.pattern_id,
            frame.saturated_fraction,
            frame.roi,
        )

    def _read_once(self, read: Callable[[], T]) -> T:
        """Read a frame out without repeating it: a lost camera is reopened, but its frame is lost."""
        try:
            return read()
        except DeviceTimeoutError as error:
            self._fault_log.record(self._kind, "no answer", error)
            raise
        except DeviceDisconnectedError as error:
            self._fault_log.record(self._kind, "lost", error)
            self._reopen(error)
            raise DeviceTimeoutError(f"{error}; it was opened again") from error

    def _is_old(self, frame: Frame, requested_s: float) -> bool:
        old = frame.timestamp_s < requested_s
        if old:
            self._fault_log.record(self._kind, "old frame", f"number {frame.sequence}")
        return old

    def _check_light(self) -> None:
        now_s = self._clock.now_s()
        if now_s - self._watched_s >= self._watch.every_ms / 1e3:
            self._watch.check()
            self._watched_s = self._clock.now_s()

    def _apply_settings(self) -> None:
        super()._apply_settings()
        self._was_reopened = True
