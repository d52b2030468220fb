"""What a served bench and its user send each other: frozen plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from drivers import errors
from drivers.errors import DeviceError, DeviceStateError
from drivers.plain_text import plain_line
from labdiff.bench.frame_validation import RejectReason
from labdiff.errors import JobStoppedError


class LeaseLostError(DeviceError):
    """Raised by a bench for a user that was silent for too long: it rests, and has to be attached again."""


class BatchMissingError(DeviceError):
    """Raised by a bench for a batch that was to be sent ahead and is not there: it is to be sent again."""


class BenchInUseError(DeviceStateError):
    """Raised by a bench that another user has, or whose last user's light is still being switched off."""


class BenchChangedError(DeviceStateError):
    """Raised on the user's side for a bench that another user had meanwhile: it is set otherwise."""


class ConnectionLostError(DeviceError):
    """Raised on the user's side when no answer comes any more."""


@dataclass(frozen=True, slots=True)
class BenchStatus:
    """The status of a served bench.

    bench_text: of its bench file. owner: name of its user, None if there is none. at_rest: laser off, SLM
    flat. emission: the laser's. resting_for_s: how long it has been at rest. dmd: it has one. left_unsafe:
    what the last way to rest could not do, one line each. closed: its process was asked to end by a signal,
    and has closed it.
    """

    bench_text: str
    owner: str | None
    at_rest: bool
    emission: bool
    resting_for_s: float
    dmd: bool
    left_unsafe: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class GrantedLease:
    """A lease of a served bench.

    token: by which its owner is known. undisturbed: nobody has used the bench since the lease before it
    that the owner named, so its devices are set as they were.
    """

    token: str
    undisturbed: bool


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch on its way to a served bench, and how it is to be measured.

    inputs, layers: packed arrays as `Bench.acquire` takes them; None if they were sent before.
    """

    number: int
    inputs: Any
    layers: Any
    settle_ms: float | None
    packing_step: float
    most_saturated: float
    found_saturation: int = 0


@dataclass(frozen=True, slots=True)
class AcquiredBatch:
    """The frames of a batch, packed, and the bench's counters afterwards.

    declared_s: least time of the batch by the declared timing. faults: counts of the fault log.
    """

    frames: Any
    declared_s: float
    frames_taken: int
    frames_rejected: Counter[RejectReason]
    faults: Counter[tuple[str, str]]


ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        errors.DeviceError,
        errors.DeviceNotFoundError,
        errors.DeviceDisconnectedError,
        errors.DeviceTimeoutError,
        errors.DeviceValueError,
        errors.DeviceStateError,
        errors.NoLightError,
        errors.TooMuchLightError,
        JobStoppedError,
        BatchMissingError,
        BenchInUseError,
        LeaseLostError,
    )
}
"""Errors by name that are raised on the user's side as on the bench's."""


MESSAGE_LONGEST = 1_000
"""Number of characters of an error's message that are sent and shown."""


@dataclass(frozen=True, slots=True)
class RemoteError:
    """An error of the other side: the name of its class, and its message."""

    kind: str
    message: str

    @classmethod
    def of(cls, error: Exception) -> RemoteError:
        """Return an error ready to be sent."""
        return cls(type(error).__name__, plain_line(error, MESSAGE_LONGEST))

    def error(self) -> Exception:
        """Return the error to be raised; what is no device's error becomes one here."""
        message = plain_line(self.message, MESSAGE_LONGEST)
        if self.kind in ERRORS:
            return ERRORS[self.kind](message)
        return DeviceError(f"{plain_line(self.kind)}: {message}")
