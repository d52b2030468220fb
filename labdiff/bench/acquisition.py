"""Exposures one after the other, as close as the declared timing of the devices allows.

Both modes give each exposure with what was displayed on the modulator meanwhile; whether the frame belongs
to that pattern is for `labdiff.bench.frame_validation` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias

from drivers.errors import DeviceTimeoutError
from drivers.protocols import Camera, InputModulator
from drivers.types import FloatArray, Frame, PatternId
from labdiff.bench.batch import ShouldStop
from labdiff.bench.clock import BenchClock
from labdiff.errors import JobStoppedError

FETCHED_TOGETHER = 16
"""Frames of a burst that are fetched at a time: to wake up for each would cost more time than they take."""


@dataclass(frozen=True, slots=True)
class DisplayedPattern:
    """A pattern that was sent to a modulator. settled_s: time on the bench's clock when it has settled."""

    pattern: PatternId
    settled_s: float


@dataclass(frozen=True, slots=True)
class BatchExposure:
    """An exposure of a batch.

    index: of its input in the batch. displayed: the pattern meanwhile. frame: the camera's, or the error
    in its place.
    """

    index: int
    displayed: DisplayedPattern
    frame: Frame | DeviceTimeoutError


Exposures: TypeAlias = Generator[BatchExposure, None, None]


def sequential(
    camera: Camera,
    clock: BenchClock,
    display: Callable[[int], DisplayedPattern],
    indices: list[int],
    should_stop: ShouldStop,
    after_last: Callable[[], None] = lambda: None,
) -> Exposures:
    """Display, settle, expose. The next pattern is displayed and settles while a frame is read out.

    Args:
        camera: Exposes.
        clock: The bench's.
        display: Displays the pattern of an input.
        indices: The inputs of the batch, in this order.
        should_stop: Asked before each exposure.
        after_last: Called when the last exposure has ended, before its frame is read out.

    Raises:
        JobStoppedError: If `should_stop` says yes.
    """
    finish: Callable[[], BatchExposure] | None = None
    for index in indices:
        _raise_if(should_stop)
        displayed = display(index)
        if finish is not None:
            yield finish()
        clock.sleep_s(max(displayed.settled_s - clock.now_s(), 0.0))
        finish = _expose(camera, index, displayed)
    if finish is not None:
        after_last()
        yield finish()


@dataclass(frozen=True, slots=True)
class FieldSequence:
    """Input fields (B, h, w), one for each index, that a modulator plays by its own clock."""

    modulator: InputModulator
    fields: FloatArray
    period_ms: float
    indices: list[int]


def triggered_burst(
    camera: Camera, clock: BenchClock, sequence: FieldSequence, should_stop: ShouldStop
) -> Exposures:
    """Let the modulator play fields by its own clock, and its trigger output expose.

    Frames are fetched some at a time, once the last of them has come by the declared timing.

    Args:
        camera: Exposes by its trigger input.
        clock: The bench's.
        sequence: What is played.
        should_stop: Asked before each frame.

    Raises:
        JobStoppedError: If `should_stop` says yes.
    """
    modulator, indices, period_ms = sequence.modulator, sequence.indices, sequence.period_ms
    with camera.triggered(len(indices)) as read:
        started_s = clock.now_s()
        patterns = modulator.show_sequence(sequence.fields, period_ms)
        first_s = started_s + (modulator.timing.total_ms + camera.timing.total_ms) / 1e3
        seen = 0
        for number in range(len(indices)):
            _raise_if(should_stop)
            if number % FETCHED_TOGETHER == 0:
                last = min(number + FETCHED_TOGETHER, len(indices)) - 1
                clock.sleep_s(max(first_s + last * period_ms / 1e3 - clock.now_s(), 0.0))
            frame: Frame | DeviceTimeoutError
            try:
                trigger, frame = read()
                seen = min(max(trigger, 0), len(indices) - 1)
            except DeviceTimeoutError as error:
                frame = error
            yield BatchExposure(indices[seen], DisplayedPattern(patterns[seen], started_s), frame)


def _expose(camera: Camera, index: int, displayed: DisplayedPattern) -> Callable[[], BatchExposure]:
    """Expose; what is returned waits for the frame."""
    try:
        read = camera.expose()
    except DeviceTimeoutError as error:
        failed = BatchExposure(index, displayed, error)
        return lambda: failed

    def finish() -> BatchExposure:
        try:
            return BatchExposure(index, displayed, read())
        except DeviceTimeoutError as error:
            return BatchExposure(index, displayed, error)

    return finish


def _raise_if(should_stop: ShouldStop) -> None:
    if should_stop():
        raise JobStoppedError("the measurement was cut short")
