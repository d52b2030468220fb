"""Repeat failed calls to a device, and reopen a device that was lost, with the settings that it had.

What is set on a device is remembered, and applied again after it was reopened. Tries are bounded, with
waits that grow; then the device's own error is raised and the device counts as given up: each further call
is made once, so that the bench can still be made safe. A wrong value, or a call in a wrong state, is never
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)
from drivers.types import Roi
from drivers.wrapper import D, DeviceSetting, DeviceWrapper, T, V
from labdiff.bench.clock import BenchClock
from labdiff.bench.fault_log import REOPENED, FaultLog
from labdiff.bench.snapshot import Values
from labdiff.config.bench import RetriesConfig

log = logging.getLogger(__name__)

TRANSIENT = (DeviceDisconnectedError, DeviceTimeoutError, DeviceNotFoundError)
"""Errors after which opening a device is tried again."""
SETTING = "set."
"""First part of a setting's name in a stored state."""


@dataclass(frozen=True, slots=True)
class RetryContext:
    """How often calls are repeated, the clock of the waits between them, and where faults are recorded."""

    policy: RetriesConfig
    clock: BenchClock
    fault_log: FaultLog


class ReconnectingDevice(DeviceWrapper[D]):
    """A device of any kind, with retries. Mixed into the wrapper of its protocol, before it.

    kind: "slm", "camera" ... as in the bench file. open_again: connects anew and returns the device, as a
    driver's `from_settings` does.
    """

    def __init__(
        self, kind: str, device: D, open_again: Callable[[], D], context: RetryContext
    ) -> None:
        super().__init__(device)
        self._kind, self._open_again = kind, open_again
        self._policy, self._clock = context.policy, context.clock
        self._fault_log = context.fault_log
        self._values: dict[str, float | Roi] = {}
        self._lost: DeviceError | None = None
        self._given_up = self._closed = False

    @property
    def name(self) -> str:
        """Maker, model and serial number; known also while the device is lost."""
        return self._device.name

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed

    def close(self) -> None:
        """Leave the device safe and let go of it; a device that is lost is not reopened."""
        self._closed = True
        self._device.close()

    def state(self) -> Values:
        """Return the settings that are applied again when the device is reopened."""
        return {SETTING + name: _encoded(value) for name, value in self._values.items()}

    def restore(self, state: Values) -> None:
        """Set the remembered settings from a state; the device itself is left alone."""
        self._values = {
            name.removeprefix(SETTING): _decoded(value)
            for name, value in state.items()
            if name.startswith(SETTING)
        }

    def _set(self, setting: DeviceSetting[D, V], value: V) -> None:
        """Set a property of the device and remember it, unless the device refuses it."""
        # Remembered first: a device that is lost with this very call is reopened with the new value.
        before = dict(self._values)
        self._values[setting.name] = value
        try:
            super()._set(setting, value)
        except BaseException:
            self._values = before
            raise

    def _call(self, act: Callable[[D], T]) -> T:
        """Return the answer to a call that may have to be repeated.

        Raises what the device raised last.
        """
        self._reopen_if_lost()
        tries = 1 if self._given_up or self._closed else self._policy.tries
        unanswered = False
        number = 1
        while True:
            try:
                answer = act(self._device)
            except DeviceTimeoutError as error:
                self._fault_log.record(self._kind, "no answer", error)
                unanswered = True
                if number == tries:
                    self._give_up(error)
                    raise
                self._wait(self._policy.first_wait_ms, number)
            except (DeviceDisconnectedError, DeviceStateError) as error:
                # Some drivers disconnect after a time-out: what they then call closed is lost.
                if isinstance(error, DeviceStateError) and (self._closed or not unanswered):
                    raise
                self._fault_log.record(self._kind, "lost", error)
                if number == tries:
                    self._give_up(error)
                    raise
                self._reopen(error)
            else:
                self._given_up = False
                return answer
            number += 1

    def _reopen_if_lost(self) -> None:
        """Reopen a device that was lost. Raises what was raised when it was lost, if it stays so."""
        if self._lost is not None and not self._closed:
            self._reopen(self._lost)

    def _reopen(self, lost: DeviceError) -> None:
        """Open the device again and apply its settings. Raises `lost` if it does not come back."""
        self._lost = lost
        with suppress(DeviceError):
            self._device.close()
        for number in range(1, 1 + (1 if self._given_up else self._policy.reconnects)):
            self._wait(self._policy.reconnect_wait_ms, number)
            try:
                self._device = self._open_again()
                try:
                    self._apply_settings()
                except BaseException:
                    with suppress(DeviceError):
                        self._device.close()
                    raise
            except TRANSIENT as error:
                self._fault_log.record(self._kind, "not found", error)
                continue
            self._lost = None
            self._fault_log.record(self._kind, REOPENED, self.name)
            return
        self._give_up(lost)
        raise lost

    def _apply_settings(self) -> None:
        """Set on the device that was just reopened what was set before."""
        for setting in self.settings:
            if setting.name in self._values:
                setting.apply(self._device, self._values[setting.name])

    def _give_up(self, error: DeviceError) -> None:
        self._given_up = True
        log.error("%s: given up: %s", self._kind, error)

    def _wait(self, first_ms: float, number: int) -> None:
        wait_ms = first_ms * self._policy.growth ** (number - 1)
        self._clock.sleep_s(min(wait_ms, self._policy.longest_wait_ms) / 1e3)


def _encoded(setting: float | Roi) -> float | int | npt.NDArray[Any]:
    """Return a setting as a number or an array."""
    if isinstance(setting, Roi):
        return np.array([setting.top, setting.left, setting.height, setting.width])
    return int(setting) if isinstance(setting, bool) else float(setting)


def _decoded(value: npt.NDArray[Any] | float | int | str) -> float | Roi:
    """Return the setting of a stored value: whole numbers are switches."""
    if isinstance(value, np.ndarray):
        return Roi(*(int(edge) for edge in value))
    return bool(value) if isinstance(value, int | np.integer) else float(value)
