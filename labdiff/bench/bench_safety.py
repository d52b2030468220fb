"""The safe state of a bench, laser off and SLM flat, and the way there whatever fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from drivers.errors import DeviceStateError
from labdiff.bench.devices import BenchDevices

log = logging.getLogger(__name__)


class BenchSafety:
    """Switches a bench on and off. flatten: displays a flat pattern.

    left_unsafe: what the last way into the safe state could not do, one line each.
    """

    def __init__(self, devices: BenchDevices, flatten: Callable[[], None]) -> None:
        self._devices, self._flatten = devices, flatten
        self.left_unsafe: list[str] = []

    def leave(self) -> None:
        """Switch the laser on, and wait until its light may be relied on."""
        laser = self._devices.laser
        laser.emission = True
        self._devices.clock.sleep_s(laser.timing.total_ms / 1e3)

    def enter(self) -> None:
        """Switch the laser off and flatten the SLM; a device that fails does not keep the other from it."""
        self.left_unsafe.clear()
        self._do_each(
            [("switch the laser off", self._laser_off), ("flatten the SLM", self._flatten)]
        )

    def close(self) -> None:
        """Enter the safe state and close every device, whatever fails.

        An interruption meanwhile is raised when everything was tried.
        """
        try:
            self.enter()
        finally:
            self._do_each([(f"close {device.name}", device.close) for device in self._devices])

    def _laser_off(self) -> None:
        self._devices.laser.emission = False

    def _do_each(self, steps: Sequence[tuple[str, Callable[[], object]]]) -> None:
        interruption: BaseException | None = None
        for what, act in steps:
            try:
                act()
            except DeviceStateError:
                continue  # closed already: nothing is left to make safe
            except Exception as error:
                log.error("could not %s: %s", what, error)
                self.left_unsafe.append(f"could not {what}: {error}")
            except BaseException as error:
                interruption = error
                act()
        if interruption is not None:
            raise interruption
