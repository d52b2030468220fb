"""The cable of a device that is called: it answers, it does not in time, or it is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)
from mock_hardware.fault_script import Fault
from mock_hardware.state import State

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory

REPLY_TIMEOUT_MS = 500.0


class Plug:
    """What the calls of one device meet, by script or by hand.

    A device that has gone stays gone, as a driver's handle does, until it is opened again.
    lose_power: what the device does when its cable is pulled.
    """

    def __init__(
        self,
        laboratory: MockLaboratory,
        name: str,
        unplugged: Fault,
        timeout: Fault,
        lose_power: Callable[[], None],
    ) -> None:
        self._lab, self._name, self._lose_power = laboratory, name, lose_power
        self._unplugged, self._timeout = unplugged, timeout
        self._pulled = self._lost = self.closed = False

    def pull(self) -> None:
        """Pull the cable."""
        self._pulled = True
        self._lose()

    def put_back(self) -> None:
        """Put the cable back; who wants the device has to open it again."""
        self._pulled = False

    def frame_requested(self, frame: int) -> None:
        """What begins with a frame begins also if nobody calls the device."""
        if self._lab.faults.begins(self._unplugged, frame):
            self._lose()

    def call(self) -> None:
        """A call that needs the device. Raises what the call meets."""
        if self.closed:
            raise DeviceStateError(f"{self._name}: is closed")
        if self._lab.call_meets(self._unplugged):
            self._lose()
        if self._lost:
            raise DeviceDisconnectedError(f"{self._name}: disconnected; check cable and power")
        if self._lab.call_meets(self._timeout):
            self._lab.clock.sleep_s(REPLY_TIMEOUT_MS * 1e-3)
            raise DeviceTimeoutError(
                f"{self._name}: no answer within {REPLY_TIMEOUT_MS:.0f} ms; check cable and load"
            )

    def read(self) -> None:
        """A reading: as a call, but a driver that is closed still knows what it knew."""
        if not self.closed:
            self.call()

    def open(self) -> None:
        """Connect anew. Raises DeviceNotFoundError while the cable is out."""
        if self._pulled or self._lab.call_meets(self._unplugged):
            raise DeviceNotFoundError(f"{self._name}: not found; check cable and power")
        self._lost = self.closed = False

    def state(self) -> State:
        """Whether it is there."""
        return {"pulled": int(self._pulled), "lost": int(self._lost)}

    def restore(self, state: State) -> None:
        """As it was."""
        self._pulled, self._lost = bool(state["pulled"]), bool(state["lost"])

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._lose_power()
