"""The simulated connection of a device: it answers, times out, or is gone."""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)
from mock_hardware.fault_script import Fault
from mock_hardware.state import State
from mock_hardware.world import World

REPLY_TIMEOUT_MS = 500.0
"""Time after which a call without an answer is given up."""


class Connection:
    """The connection of one device: what its calls meet, by script or by hand.

    A device that has gone stays gone, as a driver's handle does, until it is opened again.
    lose_power: what the device does when its cable is pulled.
    """

    def __init__(
        self,
        world: World,
        name: str,
        unplugged: Fault,
        timeout: Fault,
        lose_power: Callable[[], None],
    ) -> None:
        self._world, self._name, self._lose_power = world, name, lose_power
        self._unplugged, self._timeout = unplugged, timeout
        self._pulled = self._lost = self.closed = False
        world.on_request.append(self._frame_requested)

    def pull(self) -> None:
        """Pull the cable."""
        self._pulled = True
        self._lose()

    def put_back(self) -> None:
        """Put the cable back; the device has to be opened again."""
        self._pulled = False

    def call(self) -> None:
        """Raise the fault that a call which needs the device meets, if any."""
        if self.closed:
            raise DeviceStateError(f"{self._name}: is closed")
        if self._world.call_meets(self._unplugged):
            self._lose()
        if self._lost:
            raise DeviceDisconnectedError(f"{self._name}: disconnected; check cable and power")
        if self._world.call_meets(self._timeout):
            self._world.clock.sleep_s(REPLY_TIMEOUT_MS * 1e-3)
            raise DeviceTimeoutError(
                f"{self._name}: no answer within {REPLY_TIMEOUT_MS:.0f} ms; check cable and load"
            )

    def read(self) -> None:
        """Raise the fault that a reading meets, if any; a closed driver still answers from its memory."""
        if not self.closed:
            self.call()

    def open(self) -> None:
        """Connect anew. Raises DeviceNotFoundError while the cable is out."""
        if self._pulled or self._world.call_meets(self._unplugged):
            raise DeviceNotFoundError(f"{self._name}: not found; check cable and power")
        self._lost = self.closed = False

    def state(self) -> State:
        """Return whether the cable is out, and whether the device has lost power."""
        return {"pulled": int(self._pulled), "lost": int(self._lost)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._pulled, self._lost = bool(state["pulled"]), bool(state["lost"])

    def _frame_requested(self, frame: int) -> None:
        """Switch off with the frame at which a fault begins, also if nobody calls the device."""
        if self._world.faults.begins(self._unplugged, frame):
            self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._lose_power()
