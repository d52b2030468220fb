"""Exposures one after the other, as close as the declared timing of the devices allows.

Both ways give each exposure with what stood on the modulator meanwhile; whether the frame is of that
pattern is for `labdiff.bench.frame_validation` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from drivers.errors import DeviceTimeoutError
from drivers.protocols import Camera, SequenceModulator
from drivers.types import FloatArray, Frame, PatternId
from labdiff.bench.clock import Clock
from labdiff.errors import JobStoppedError

FETCHED_TOGETHER = 16
"""Frames of a burst: to be woken for every one would cost the computer more than the frames do."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """An exposure of a batch, by its place there.

    pattern stood from stands_s on, on the bench's clock. frame: the camera's, or why there is none.
    """

    place: int
    pattern: PatternId
    stands_s: float
    frame: Frame | DeviceTimeoutError


@dataclass(frozen=True, slots=True)
class Written:
    """A pattern on its way: it stands from stands_s on, on the bench's clock."""

    pattern: PatternId
    stands_s: float


Exposures = Generator[Exposed, None, None]
CutShort = Callable[[], bool]


def sequential(
    camera: Camera,
    clock: Clock,
    write: Callable[[int], Written],
    places: list[int],
    cut_short: CutShort,
    then: Callable[[], None] = lambda: None,
) -> Exposures:
    """Write, settle, expose. The next pattern is written and settles while a frame is read out.

    write: shows the pattern of a place. then: called when the last exposure has ended.
    """
    finish: Callable[[], Exposed] | None = None
    for place in places:
        _go_on(cut_short)
        written = write(place)
        if finish is not None:
            yield finish()
        clock.sleep_s(max(written.stands_s - clock.now_s(), 0.0))
        finish = _exposing(camera, place, written)
    if finish is not None:
        then()
        yield finish()


def triggered_burst(
    camera: Camera,
    clock: Clock,
    modulator: SequenceModulator,
    fields: FloatArray,
    period_ms: float,
    places: list[int],
    cut_short: CutShort,
) -> Exposures:
    """The modulator plays the fields (B, h, w) by its own clock, and its trigger output exposes.

    Frames are fetched some at a time, once the last of them has come by the declared timing.
    """
    with camera.triggered(len(places)) as read:
        started_s = clock.now_s()
        patterns = modulator.show_sequence(fields, period_ms)
        first_s = started_s + (modulator.timing.total_ms + camera.timing.total_ms) / 1e3
        seen = 0
        for index in range(len(places)):
            _go_on(cut_short)
            if index % FETCHED_TOGETHER == 0:
                last = min(index + FETCHED_TOGETHER, len(places)) - 1
                clock.sleep_s(max(first_s + last * period_ms / 1e3 - clock.now_s(), 0.0))
            frame: Frame | DeviceTimeoutError
            try:
                number, frame = read()
                seen = min(max(number, 0), len(places) - 1)
            except DeviceTimeoutError as error:
                frame = error
            yield Exposed(places[seen], patterns[seen], started_s, frame)


def _exposing(camera: Camera, place: int, written: Written) -> Callable[[], Exposed]:
    """Expose; what is returned waits for the frame."""
    pattern, stands_s = written.pattern, written.stands_s
    try:
        read = camera.expose()
    except DeviceTimeoutError as error:
        none = Exposed(place, pattern, stands_s, error)
        return lambda: none

    def finish() -> Exposed:
        try:
            return Exposed(place, pattern, stands_s, read())
        except DeviceTimeoutError as error:
            return Exposed(place, pattern, stands_s, error)

    return finish


def _go_on(cut_short: CutShort) -> None:
    if cut_short():
        raise JobStoppedError("the measurement was cut short")
