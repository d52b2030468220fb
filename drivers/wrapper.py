"""Devices around devices: each forwards to the device that it holds, through one method.

There is one wrapper for each protocol, `drivers.<kind>.wrapper`. What a wrapper is for it overrides: how
any access is made (`_call`), how a property is set (`_set`), how a pattern is displayed (`_display`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from drivers.protocols import Device
from drivers.types import FloatArray, PatternId, Roi, Timing

D = TypeVar("D", bound=Device)
V = TypeVar("V", bound=float | Roi)
"""Of a value that can be set; a switch is a bool, which is a float."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeviceSetting(Generic[D, V]):
    """A property of a device that can be set: its name, and the function that sets it."""

    name: str
    apply: Callable[[D, V], None]


@dataclass(frozen=True, slots=True)
class DisplayCommand(Generic[D]):
    """A method that displays a pattern on a modulator: its name, and the function that calls it."""

    name: str
    run: Callable[[D, FloatArray], PatternId]


class DeviceWrapper(Generic[D]):
    """Forwards what every device has. settings: the properties that can be set on this kind of device."""

    settings: tuple[DeviceSetting[Any, Any], ...] = ()

    def __init__(self, device: D) -> None:
        self._device = device

    def _call(self, act: Callable[[D], T]) -> T:
        """Return what an access to the device returns."""
        return act(self._device)

    def _set(self, setting: DeviceSetting[D, V], value: V) -> None:
        """Set a property of the device."""
        self._call(lambda device: setting.apply(device, value))

    @property
    def name(self) -> str:
        """Maker, model and serial number of the device."""
        return self._call(lambda device: device.name)

    @property
    def timing(self) -> Timing:
        """Declared latency and duration of the device."""
        return self._call(lambda device: device.timing)

    def close(self) -> None:
        """Leave the device safe and let go of it."""
        self._call(lambda device: device.close())


class PatternWrapper(DeviceWrapper[D]):
    """Forwards what displays patterns. commands: the methods that do so on this kind of device."""

    commands: tuple[DisplayCommand[Any], ...] = ()

    def _display(self, command: DisplayCommand[D], pattern: FloatArray) -> PatternId:
        """Display a pattern by one of the device's methods."""
        return self._call(lambda device: command.run(device, pattern))
