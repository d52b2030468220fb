"""A device that lasts: calls are made again, and a device that has gone is opened again as it was set.

Each wrapper looks like the device it holds. What is set on it is remembered, and put on the device again
after it was opened anew. Tries are bounded, with a wait that grows; then the device's own error goes on,
and the device counts as given up: each further call is tried once, so that the bench can still be made
safe. What cannot be right is never tried again: a wrong value, or a call in a wrong state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)
from drivers.protocols import Device
from drivers.types import Roi
from labdiff.bench.clock import Clock
from labdiff.bench.fault_log import REOPENED, FaultLog
from labdiff.bench.snapshot import Values
from labdiff.config.bench import RetriesConfig

D = TypeVar("D", bound=Device)
T = TypeVar("T")

log = logging.getLogger(__name__)

MENDABLE = (DeviceDisconnectedError, DeviceTimeoutError, DeviceNotFoundError)
SETTING = "set."


@dataclass(frozen=True, slots=True)
class RetryContext:
    """How often things are tried, on whose clock the waits between are, and where troubles are noted."""

    policy: RetriesConfig
    clock: Clock
    troubles: FaultLog


class ReconnectingDevice(Generic[D]):
    """Any device.

    kind: "slm", "camera" ... as in the bench file. open_again: connects anew and returns the device, as a
    driver's `from_settings` does. What is not named here is passed on; names that begin with an underscore
    are the wrapper's own to set.
    """

    def __init__(
        self, kind: str, device: D, open_again: Callable[[], D], mending: RetryContext
    ) -> None:
        self._kind, self._device, self._open_again = kind, device, open_again
        self._policy, self._clock = mending.policy, mending.clock
        self._troubles = mending.troubles
        self._set: dict[str, Any] = {}
        self._lost: DeviceError | None = None
        self._given_up = self._closed = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._lasting(lambda device: getattr(device, name))
        if not callable(found):
            return found
        return lambda *args, **more: self._lasting(lambda d: getattr(d, name)(*args, **more))

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        # Noted first: a device that is lost with this very call comes back with it.
        before = dict(self._set)
        self._set[name] = value
        try:
            self._lasting(lambda device: setattr(device, name, value))
        except BaseException:
            self._set = before
            raise

    @property
    def name(self) -> str:
        """Maker, model and serial number; known also while the device is away."""
        return self._device.name

    def close(self) -> None:
        """Leave the device safe and let go of it; a device that has gone is not looked for."""
        self._closed = True
        self._device.close()

    def state(self) -> Values:
        """What is set again if the device has to be opened again."""
        return {SETTING + name: _as_value(value) for name, value in self._set.items()}

    def restore(self, state: Values) -> None:
        """As it was; the device itself is left alone."""
        self._set = {
            name.removeprefix(SETTING): _from_value(value)
            for name, value in state.items()
            if name.startswith(SETTING)
        }

    def _lasting(self, act: Callable[[D], T]) -> T:
        """The answer to a call that may have to be made more than once.

        Raises what the device raised last.
        """
        self._find_again()
        tries = 1 if self._given_up or self._closed else self._policy.tries
        unanswered = False
        for number in range(1, tries + 1):
            try:
                answer = act(self._device)
            except DeviceTimeoutError as error:
                self._troubles.note(self._kind, "no answer", error)
                unanswered = True
                if number == tries:
                    self._give_up(error)
                    raise
                self._wait(self._policy.first_wait_ms, number)
            except (DeviceDisconnectedError, DeviceStateError) as error:
                # Some drivers hang up after a time-out: what they then call closed is lost.
                if isinstance(error, DeviceStateError) and (self._closed or not unanswered):
                    raise
                self._troubles.note(self._kind, "lost", error)
                if number == tries:
                    self._give_up(error)
                    raise
                self._reopen(error)
            else:
                self._given_up = False
                return answer
        raise AssertionError("unreachable: the last try returns or raises")

    def _find_again(self) -> None:
        """A device that had gone may be there again by now. Raises what was raised when it went."""
        if self._lost is not None and not self._closed:
            self._reopen(self._lost)

    def _reopen(self, lost: DeviceError) -> None:
        """Open the device again and set it as it was. Raises `lost` if it does not come back."""
        self._lost = lost
        with suppress(DeviceError):
            self._device.close()
        for number in range(1, 1 + (1 if self._given_up else self._policy.reconnects)):
            self._wait(self._policy.reconnect_wait_ms, number)
            try:
                self._device = self._open_again()
                try:
                    self._restore()
                except BaseException:
                    with suppress(DeviceError):
                        self._device.close()
                    raise
            except MENDABLE as error:
                self._troubles.note(self._kind, "not found", error)
                continue
            self._lost = None
            self._troubles.note(self._kind, REOPENED, self.name)
            return
        self._give_up(lost)
        raise lost

    def _restore(self) -> None:
        for name, value in self._set.items():
            setattr(self._device, name, value)

    def _give_up(self, error: DeviceError) -> None:
        self._given_up = True
        log.error("%s: given up: %s", self._kind, error)

    def _wait(self, first_ms: float, number: int) -> None:
        wait_ms = first_ms * self._policy.growth ** (number - 1)
        self._clock.sleep_s(min(wait_ms, self._policy.longest_wait_ms) / 1e3)


def _as_value(setting: Any) -> float | int | npt.NDArray[Any]:
    """A setting as a number or an array."""
    if isinstance(setting, Roi):
        return np.array([setting.top, setting.left, setting.height, setting.width])
    return int(setting) if isinstance(setting, bool) else float(setting)


def _from_value(value: Any) -> Any:
    """The inverse: whole numbers are switches."""
    if isinstance(value, np.ndarray):
        return Roi(*(int(edge) for edge in value))
    return bool(value) if isinstance(value, int | np.integer) else float(value)
