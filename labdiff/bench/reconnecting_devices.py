"""What each kind of device needs beyond `labdiff.bench.reconnect` to be again as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from drivers.errors import DeviceDisconnectedError, DeviceTimeoutError, NoLightError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import FloatArray, Frame, PatternId
from labdiff.bench.reconnect import D, ReconnectingDevice, T
from labdiff.bench.snapshot import Values


class ReconnectingModulator(ReconnectingDevice[D]):
    """An SLM or a DMD: also the pattern that stood is put back, and an SLM's phase response."""

    _standing: tuple[str, FloatArray] | None = None
    _lut: FloatArray | None = None

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response."""
        self._lut = phase_by_grey_rad
        self._lasting(lambda slm: slm.set_lut(phase_by_grey_rad))  # type: ignore[attr-defined]

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern."""
        return self._show("set_phase", phase_rad)

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels."""
        return self._show("set_grey", grey)

    def show(self, field: FloatArray) -> PatternId:
        """Show an input field."""
        return self._show("show", field)

    def state(self) -> Values:
        """Settings, phase response and what stands."""
        state = super().state()
        if self._lut is not None:
            state["lut_rad"] = self._lut
        if self._standing is not None:
            state["standing_by"], state["standing"] = self._standing
        return state

    def restore(self, state: Values) -> None:
        """As it was."""
        super().restore(state)
        self._lut = np.asarray(state["lut_rad"]) if "lut_rad" in state else None
        self._standing = None
        if "standing" in state:
            self._standing = str(state["standing_by"]), np.asarray(state["standing"])

    def _show(self, act: str, pattern: FloatArray) -> PatternId:
        shown: PatternId = self._lasting(lambda device: getattr(device, act)(pattern))
        self._standing = act, pattern.copy()
        return shown

    def _restore(self) -> None:
        super()._restore()
        if self._lut is not None:
            self._device.set_lut(self._lut)  # type: ignore[attr-defined]
        if self._standing is not None:
            act, pattern = self._standing
            getattr(self._device, act)(pattern)
            self._clock.sleep_s(self._device.timing.total_ms / 1e3)


class ReconnectingSequenceModulator(ReconnectingModulator[D]):
    """A DMD that plays sequences."""

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Show input fields one after the other; the last one stays."""
        shown: list[PatternId] = self._lasting(
            lambda dmd: dmd.show_sequence(fields, period_ms)  # type: ignore[attr-defined]
        )
        self._standing = "show", fields[-1].copy()
        return shown


class ReconnectingLaser(ReconnectingDevice[D]):
    """A laser: its emission comes back last, only if it was on, and never against an interlock."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "emission" and not value:
            self._given_up = False  # to switch it off, all is tried once more
        super().__setattr__(name, value)

    def watch(self) -> None:
        """Raises NoLightError if the emission was switched on and is off: it is not switched on again."""
        if self._set.get("emission", False) and not self.emission:
            raise NoLightError(
                f"{self.name}: the emission has gone off; check interlock and key switch"
            )

    def _restore(self) -> None:
        device: Any = self._device
        for name, value in self._set.items():
            if name != "emission":
                setattr(device, name, value)
        if not self._set.get("emission", False):
            device.emission = False
            return
        if not self._policy.relight:
            raise NoLightError(
                f"{self.name}: it had gone and is there again; retries.relight = false leaves it dark"
            )
        device.emission = True
        self._clock.sleep_s(device.timing.total_ms / 1e3)
        if not device.emission:
            raise NoLightError(
                f"{self.name}: it had gone, is there again and stays dark; "
                "check interlock and key switch"
            )


class ReconnectingCamera(ReconnectingDevice[D]):
    """A camera: a frame was exposed after it was asked for, and the frames' numbers go on growing.

    Only `get_frame` asks again for a frame that did not come. After `expose` the light may have changed,
    and a trigger's pattern has gone by: there who asked has to show the pattern anew.
    """

    _offset, _last, _began_anew = 0, -1, False
    _watch: Callable[[], None] | None = None
    _watch_ms = _watched_s = 0.0

    def state(self) -> Values:
        """Settings, how frames are numbered, and when the light was looked after."""
        state = super().state()
        state.update(offset=self._offset, last=self._last, watched_s=self._watched_s)
        return state | {"began_anew": int(self._began_anew)}

    def restore(self, state: Values) -> None:
        """As it was."""
        super().restore(state)
        self._offset, self._last = int(state["offset"]), int(state["last"])
        self._watched_s, self._began_anew = float(state["watched_s"]), bool(state["began_anew"])

    def after_frames(self, watch: Callable[[], None], watch_ms: float) -> None:
        """Have `watch` called after a frame, at most every `watch_ms`; what it raises goes on."""
        self._watch, self._watch_ms = watch, watch_ms

    def get_frame(self) -> Frame:
        """Expose once, from now. Raises DeviceTimeoutError if only older frames come."""
        for _ in range(self._policy.tries):
            asked_s, reopened = self._clock.now_s(), self._troubles.reopened
            frame: Frame = self._lasting(lambda camera: camera.get_frame())  # type: ignore[attr-defined]
            if self._is_old(frame, asked_s):
                continue
            opened_meanwhile = self._troubles.reopened - reopened
            self._look_after_the_light()
            if self._troubles.reopened - reopened == opened_meanwhile:
                return self._numbered(frame)
        raise DeviceTimeoutError(
            f"{self.name}: {self._policy.tries} frames in a row were exposed before they were asked "
            "for, or in the dark; check its trigger and its driver's queue"
        )

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    def expose(self) -> ReadOut:
        """Expose once, from now; what this returns waits for the frame.

        Whether it is an old one shows by its time and number, to who knows since when a pattern stands.
        """
        read: ReadOut = self._lasting(lambda camera: camera.expose())  # type: ignore[attr-defined]

        def frame_of_it() -> Frame:
            frame = self._answered(read)
            self._look_after_the_light()
            return self._numbered(frame)

        return frame_of_it

    @contextmanager
    def triggered(self, count: int) -> Iterator[TriggeredReadOut]:
        """While it is entered, the trigger input exposes; once the camera was lost nothing comes."""
        with ExitStack() as stack:
            read: TriggeredReadOut = self._lasting(
                lambda camera: stack.enter_context(camera.triggered(count))  # type: ignore[attr-defined]
            )
            reopened = self._troubles.reopened

            def frame_of_it() -> tuple[int, Frame]:
                if self._troubles.reopened != reopened:
                    raise DeviceTimeoutError(f"{self.name}: was lost while it waited for triggers")
                number, frame = self._answered(read)
                return number, self._numbered(frame)

            yield frame_of_it

    def _answered(self, read: Callable[[], T]) -> T:
        """What is asked for once: a camera that has gone is opened again, but the frame is lost."""
        try:
            return read()
        except DeviceTimeoutError as error:
            self._troubles.note(self._kind, "no answer", error)
            raise
        except DeviceDisconnectedError as error:
            self._troubles.note(self._kind, "lost", error)
            self._reopen(error)
            raise DeviceTimeoutError(f"{error}; it was opened again") from error

    def _is_old(self, frame: Frame, asked_s: float) -> bool:
        old = frame.timestamp_s < asked_s
        if old:
            self._troubles.note(self._kind, "old frame", f"number {frame.sequence}")
        return old

    def _look_after_the_light(self) -> None:
        now_s = self._clock.now_s()
        if self._watch is not None and now_s - self._watched_s >= self._watch_ms / 1e3:
            self._watch()
            self._watched_s = self._clock.now_s()

    def _restore(self) -> None:
        super()._restore()
        self._began_anew = True

    def _numbered(self, frame: Frame) -> Frame:
        """A camera that was opened again may count from its start: its numbers go on from the last."""
        if self._began_anew:
            self._began_anew = False
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
