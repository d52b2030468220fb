"""A camera: triggers, exposure in time, a driver's queue, and their faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NoReturn

import numpy as np

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, Frame, Roi
from mock_hardware.deferred_frames import DeferredFrame, Readout
from mock_hardware.fault_script import Fault
from mock_hardware.sensor import Image, Sensor
from mock_hardware.state import State, frame_of, frame_state, named, part
from mock_hardware.truth import converter_bits
from mock_hardware.world import World

Trigger = Literal["software", "hardware", "free_run"]
TRIGGERS: tuple[Trigger, ...] = ("software", "hardware", "free_run")
TIMEOUT_MS = 500.0
"""Time after which the driver gives a frame up."""
START_EXPOSURE_MS = 1.0
"""Exposure of a camera that has just been connected."""


class MockCamera:
    """A camera with three kinds of triggering.

    "software": `expose` exposes, from now. "hardware": each new pattern on a modulator exposes, and
    `expose` hands out the frames in their order. "free_run": the camera exposes without end and its
    driver keeps the newest few; `expose` hands out the oldest of them, which is **stale**.
    """

    def __init__(self, world: World) -> None:
        self._world, self._settings = world, world.settings.camera
        self._exposure_ms = START_EXPOSURE_MS
        self._roi = Roi(0, 0, *self.shape)
        self._sensor = Sensor(
            world.truth,
            converter_bits(world.geometry, world.settings),
            self._settings.well * self._settings.full_well_electrons,
            world.seed,
        )
        self._trigger: Trigger = "software"
        self._sequence = 0
        self._requested = False  # a request is waiting for its frame
        self._ready_s = 0.0
        self._unplugged = False
        self._closed = False
        self._last: DeferredFrame | None = None
        self._waiting: deque[float] = deque()
        self._queue: deque[DeferredFrame] = deque()
        self._buffers = self._settings.queue
        # What the driver holds back: its pixels come with a later frame's number and time.
        self._held: deque[DeferredFrame] = deque(maxlen=1 + self._settings.frames_late)
        world.on_change.append(self.catch_up)
        world.on_trigger.append(self.on_trigger)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock camera"

    @property
    def timing(self) -> CameraTiming:
        """Trigger delay; then exposure (of the last row, with a rolling shutter) and read-out."""
        s = self._settings
        rolling_ms = s.line_us * 1e-3 * self._roi.height if s.shutter == "rolling" else 0.0
        shutter_ms = self._exposure_ms + rolling_ms
        own_ms = max(shutter_ms, s.readout_ms) if s.overlap else shutter_ms + s.readout_ms
        return CameraTiming(
            latency_ms=s.trigger_us * 1e-3,
            duration_ms=shutter_ms + s.readout_ms,
            readout_ms=s.readout_ms,
            period_ms=max(own_ms, 1e3 / s.frames_per_s),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the sensor."""
        return self._world.geometry.camera_shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return self._world.geometry.camera_bit_depth

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure."""
        return (0.005, 1000.0)

    @property
    def exposure_ms(self) -> float:
        """Exposure of the next frames."""
        return self._exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low} ... {high} ms"
            )
        self.catch_up()
        self._exposure_ms = float(value)

    @property
    def roi(self) -> Roi:
        """Window that is read out."""
        return self._roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the sensor {self.shape}")
        self.catch_up()
        self._roi = value

    @property
    def trigger(self) -> Trigger:
        """What starts an exposure."""
        return self._trigger

    @trigger.setter
    def trigger(self, value: Trigger) -> None:
        self._trigger = value
        self._queue.clear()
        self._waiting.clear()
        self._ready_s = max(self._ready_s, self._world.clock.now_s())

    @property
    def requests(self) -> int:
        """How often a frame was asked for: the count by which faults are scripted."""
        return self._world.requests

    def unplug(self) -> None:
        """Pull the cable."""
        self._unplugged = True

    def plug_in(self) -> None:
        """Put the cable back."""
        self._unplugged = False

    def reopen(self) -> None:
        """Connect anew, with the settings of the start. Raises DeviceNotFoundError while unplugged.

        An attempt that fails counts as a request.
        """
        if self._unplugged or "unplugged" in self._world.faults_now():
            self._world.requests += 1
            raise DeviceNotFoundError(f"{self.name}: not found; check cable and power")
        self._closed = False
        self._exposure_ms, self._roi = START_EXPOSURE_MS, Roi(0, 0, *self.shape)
        self.trigger = "software"

    def state(self) -> State:
        """Return settings, counters and the frames in the driver's queue; not during a burst."""
        roi = self._roi
        state: State = {
            "exposure_ms": self._exposure_ms,
            "roi": np.array([roi.top, roi.left, roi.height, roi.width]),
            "trigger": self._trigger,
            "sequence": self._sequence,
            "requests": self._world.requests,
            "ready_s": self._ready_s,
            "unplugged": int(self._unplugged),
            "waiting_s": np.array(self._waiting, np.float64),
            "queued": len(self._queue),
        }
        for number, frame in enumerate(self._queue):
            state |= named(f"queue.{number}", frame_state(frame))
        if self._last is not None:
            state |= named("last", frame_state(self._last))
        if self._settings.frames_late:
            state["held"] = len(self._held)
            for number, frame in enumerate(self._held):
                state |= named(f"held.{number}", frame_state(frame))
        return state

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._exposure_ms = float(state["exposure_ms"])
        self._roi = Roi(*(int(edge) for edge in np.asarray(state["roi"])))
        (self._trigger,) = (trigger for trigger in TRIGGERS if trigger == str(state["trigger"]))
        self._sequence, self._world.requests = int(state["sequence"]), int(state["requests"])
        self._ready_s, self._unplugged = float(state["ready_s"]), bool(state["unplugged"])
        self._waiting = deque(np.asarray(state["waiting_s"]).tolist())
        self._queue = deque(
            frame_of(part(f"queue.{number}", state)) for number in range(int(state["queued"]))
        )
        for number in range(int(state.get("held", 0))):
            self._held.append(frame_of(part(f"held.{number}", state)))
        last = part("last", state)
        self._last = frame_of(last) if last else None

    def on_trigger(self, at_s: float) -> None:
        """Receive a modulator's trigger output; ignore it unless the camera waits for it."""
        if self._trigger == "hardware":
            self._waiting.append(at_s + self._settings.trigger_us * 1e-6)

    def catch_up(self) -> None:
        """Expose what a free-running or triggered camera has exposed up to now."""
        now_s = self._world.clock.now_s()
        if self._trigger == "hardware":
            while self._waiting and self._waiting[0] + self._shutter_s() <= now_s:
                start_s = self._waiting.popleft()
                if start_s >= self._ready_s - 1e-9:
                    self._keep(start_s)
                else:
                    self._sequence += 1  # still busy: the trigger is lost, and the counter tells
        elif self._trigger == "free_run":
            period_s = self.timing.period_ms * 1e-3
            missed = int((now_s - self._ready_s - self._shutter_s()) // period_s)
            if missed > self._settings.queue:
                self._sequence += missed - self._settings.queue
                self._ready_s += (missed - self._settings.queue) * period_s
            while self._ready_s + self._shutter_s() <= now_s:
                self._keep(self._ready_s)

    def expose(self) -> ReadOut:
        """Start the read-out of the next frame; return when its exposure has ended."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        faults = self._world.request_frame()
        if self._unplugged or "unplugged" in faults:
            raise DeviceDisconnectedError(
                f"{self.name}: disconnected after {self._sequence} frames; check cable and power"
            )
        asked_s = self._world.clock.now_s()
        if "timeout" in faults:
            return lambda: self._time_out(asked_s)
        self._requested = True
        try:
            frame = self._next()
        finally:
            self._requested = False
        return lambda: self._hand_out(frame, faults)

    def get_frame(self) -> Frame:
        """Return the next frame, read out."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Return `count` frames in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """True: modulators can trigger it."""
        return True

    @contextmanager
    def triggered(self, count: int) -> Iterator[TriggeredReadOut]:
        """Let a modulator's trigger output expose; triggers and frames from before are dropped."""
        before, self.trigger = self._trigger, "hardware"
        self._buffers, first = count, self._sequence + 1

        def read() -> tuple[int, Frame]:
            frame = self.get_frame()
            return frame.sequence - first, frame

        try:
            yield read
        finally:
            self._buffers = self._settings.queue
            self.trigger = before

    def close(self) -> None:
        """Close the camera: it gives no further frames."""
        self._closed = True

    def _next(self) -> DeferredFrame:
        """Return the frame that the driver hands out now; its exposure has ended."""
        clock = self._world.clock
        self.catch_up()
        if self._queue:
            return self._queue.popleft()
        if self._trigger == "hardware":
            if not self._waiting:
                self._time_out(clock.now_s())
            clock.sleep_s(self._waiting[0] + self._shutter_s() + 1e-9 - clock.now_s())
            self.catch_up()
            return self._queue.popleft() if self._queue else self._time_out(clock.now_s())
        start_s = self._ready_s
        if self._trigger == "software":
            start_s = max(start_s, clock.now_s() + self._settings.trigger_us * 1e-6)
        # Light is known once it has come: wait for the exposure's end before looking at it.
        clock.sleep_s(start_s + self._shutter_s() - clock.now_s())
        return self._expose(start_s)

    def _hand_out(self, frame: DeferredFrame, faults: set[Fault]) -> Frame:
        """Return the frame once it is read out, or what its faults make of it."""
        clock = self._world.clock
        clock.sleep_s(frame.in_hand_s - clock.now_s())
        if "late" in faults:
            self._queue.append(frame)
        if "dropped" in faults or "late" in faults:
            self._time_out(clock.now_s())
        before, self._last = self._last, frame
        if before is not None and "duplicated" in faults:
            return before
        if before is not None and "torn" in faults and before.roi == frame.roi:
            return self._torn(frame, before)
        return frame

    def _torn(self, frame: Frame, before: Frame) -> Frame:
        half = frame.roi.height // 2
        pixels = np.concatenate([frame.pixels[:half], before.pixels[half:]])
        return Frame(
            pixels,
            frame.exposure_ms,
            frame.timestamp_s,
            frame.sequence,
            None,
            float((pixels >= self._largest).mean()),
            frame.roi,
        )

    def _time_out(self, since_s: float) -> NoReturn:
        clock = self._world.clock
        clock.sleep_s(since_s + TIMEOUT_MS * 1e-3 - clock.now_s())
        raise DeviceTimeoutError(
            f"{self.name}: no frame within {TIMEOUT_MS:.0f} ms; check trigger, cable and load"
        )

    def _keep(self, start_s: float) -> None:
        self._queue.append(self._expose(start_s))
        while len(self._queue) > self._buffers:
            self._queue.popleft()

    def _shutter_s(self) -> float:
        """Return the time from the start of the first row's exposure to the end of the last row's."""
        return (self.timing.duration_ms - self._settings.readout_ms) * 1e-3

    def _expose(self, start_s: float) -> DeferredFrame:
        self._ready_s = start_s + self.timing.period_ms * 1e-3
        self._sequence += 1
        line_s = self._settings.line_us * 1e-6 if self._settings.shutter == "rolling" else 0.0
        exposure_ms, roi, number = self._exposure_ms, self._roi, self._sequence
        request = self._world.requests + len(self._queue) + (0 if self._requested else 1)
        light, pattern = self._world.expose(roi, start_s, exposure_ms * 1e-3, line_s, request)
        readout = self._world.workers.submit(lambda: self._read(light(), roi, exposure_ms, number))
        in_hand_s = start_s + self.timing.duration_ms * 1e-3
        frame = DeferredFrame(readout, exposure_ms, start_s, number, pattern, roi, in_hand_s)
        self._held.append(frame)
        return frame if self._held[0].roi != roi else frame.with_pixels_of(self._held[0])

    def _read(self, electrons: Image, roi: Roi, exposure_ms: float, number: int) -> Readout:
        gain = self._world.automatic_gain
        counts = self._sensor.expose(electrons, roi, exposure_ms, number, gain)
        pixels = self._sensor.convert(counts)
        if self._settings.packing == "left":
            pixels = (pixels << (16 - self.bit_depth)).astype(np.uint16)
        return pixels, float((pixels >= self._largest).mean())

    @property
    def _largest(self) -> int:
        """The largest count, as it lies in the 16-bit word."""
        largest: int = 2**self.bit_depth - 1
        return largest << (16 - self.bit_depth) if self._settings.packing == "left" else largest
