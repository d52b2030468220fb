"""Frames and states as what a message carries, and back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from drivers.types import Frame, Roi
from labdiff.engine.door_messages import Array, Fields, Message
from labdiff.engine.status import BenchState
from labdiff.errors import UserError

OTHER_VERSION = "the window's answer is not understood; is it of another version?"


@dataclass(frozen=True, slots=True)
class _FrameFields:
    number: int
    exposure_ms: float
    timestamp_s: float
    sequence: int
    pattern_id: int | None
    saturated_fraction: float
    roi: Roi


def frame_fields(number: int, frame: Frame) -> tuple[Fields, list[Array]]:
    """Return a frame and its number as fields and arrays."""
    values = _FrameFields(
        number,
        frame.exposure_ms,
        frame.timestamp_s,
        frame.sequence,
        frame.pattern_id,
        frame.saturated_fraction,
        frame.roi,
    )
    return {"frame": _finite(asdict(values))}, [frame.pixels]


def numbered_frame(message: Message) -> tuple[int, Frame] | None:
    """Return the frame of an answer, and its number; None if it has none."""
    if not message.arrays:
        return None
    try:
        found = TypeAdapter(_FrameFields).validate_python(message.fields.get("frame"))
    except ValidationError:
        raise UserError(OTHER_VERSION) from None
    return found.number, Frame(
        message.arrays[0],
        found.exposure_ms,
        found.timestamp_s,
        found.sequence,
        found.pattern_id,
        found.saturated_fraction,
        found.roi,
    )


def state_fields(state: BenchState) -> Fields:
    """Return the state of a bench as fields."""
    return {"bench": _finite(asdict(state))}


def bench_state(message: Message) -> BenchState:
    """Return the state of the bench in an answer."""
    try:
        return TypeAdapter(BenchState).validate_python(message.fields.get("bench"))
    except ValidationError:
        raise UserError(OTHER_VERSION) from None


def _finite(value: object) -> object:
    """Return values that JSON can say: what is infinite, or no number, is None."""
    match value:
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case float() if not math.isfinite(value):
            return None
    return value
