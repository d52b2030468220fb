"""A laser around a laser."""

from __future__ import annotations

from typing import Any

from drivers.protocols import Laser
from drivers.wrapper import DeviceSetting, DeviceWrapper


def _set_power(laser: Laser, value: float) -> None:
    laser.power_mw = value


def _set_emission(laser: Laser, value: bool) -> None:
    laser.emission = value


POWER_MW: DeviceSetting[Laser, float] = DeviceSetting("power_mw", _set_power)
EMISSION: DeviceSetting[Laser, bool] = DeviceSetting("emission", _set_emission)


class LaserWrapper(DeviceWrapper[Laser]):
    """Forwards to a laser."""

    settings: tuple[DeviceSetting[Any, Any], ...] = (POWER_MW, EMISSION)

    @property
    def power_mw(self) -> float:
        """Emitted power when the emission is on."""
        return self._call(lambda laser: laser.power_mw)

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        self._set(POWER_MW, value)

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """(least, greatest) settable power."""
        return self._call(lambda laser: laser.power_range_mw)

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        return self._call(lambda laser: laser.emission)

    @emission.setter
    def emission(self, value: bool) -> None:
        self._set(EMISSION, value)

    def send_off(self) -> None:
        """Send the order to switch off to the device itself, past everything that may wait."""
        self._device.send_off()

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        return self._call(lambda laser: laser.wavelength_nm)
