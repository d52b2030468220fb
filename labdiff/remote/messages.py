"""What a bench and who uses it from elsewhere say to each other: frozen plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from drivers import errors
from drivers.errors import DeviceError
from labdiff.bench.frame_validation import RejectReason
from labdiff.errors import JobStoppedError

Kind = Literal["slm", "camera", "laser", "dmd", "clock"]
METHODS: dict[Kind, frozenset[str]] = {
    "slm": frozenset({"set_phase", "set_lut", "set_grey"}),
    "camera": frozenset({"get_frame", "get_frames"}),
    "laser": frozenset(),
    "dmd": frozenset({"show", "show_sequence"}),
    "clock": frozenset({"now_s", "sleep_s", "catch_up"}),
}
"""What may be called; else values are read and set, and nothing that begins with an underscore."""


class LeaseLostError(DeviceError):
    """Raised by a bench for who was silent for too long: it is at rest, and has to be taken again."""


class LineCutError(DeviceError):
    """Raised on this side when no answer comes any more."""


@dataclass(frozen=True, slots=True)
class About:
    """A bench that is served. owner: who has it, in words, empty if nobody. at_rest: laser off, SLM flat.

    dmd: it has one; plays: which plays sequences. resting_for_s: how long it has been at rest.
    """

    bench_text: str
    owner: str
    at_rest: bool
    emission: bool
    resting_for_s: float
    dmd: bool
    plays: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """inputs (B, h, w) and layers as `Bench.take` has them, packed, and how they are to be measured."""

    number: int
    inputs: Any
    layers: Any
    settle_ms: float | None
    packing_step: float
    most_saturated: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Its frames, packed, and the bench's counters afterwards. declared_s: what it takes at the least."""

    frames: Any
    declared_s: float
    frames_taken: int
    flaws: Counter[RejectReason]
    troubles: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Raised:
    """What the other side raised: the name of a device error, and its words."""

    kind: str
    words: str

    @classmethod
    def of(cls, error: Exception) -> Raised:
        """An error, ready to travel."""
        return cls(type(error).__name__, str(error))

    def error(self) -> Exception:
        """The same again; what is no device's error is one here."""
        if self.kind == "JobStoppedError":
            return JobStoppedError(self.words)
        if self.kind == "LeaseLostError":
            return LeaseLostError(self.words)
        found = getattr(errors, self.kind, None)
        if isinstance(found, type) and issubclass(found, DeviceError):
            return found(self.words)
        return DeviceError(f"{self.kind}: {self.words}")
