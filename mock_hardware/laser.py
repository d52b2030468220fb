"""A laser with a shutter, and a meter that reads it."""

from __future__ import annotations

from drivers.errors import DeviceValueError
from drivers.types import Timing
from mock_hardware.connection import Connection
from mock_hardware.world import World


class MockLaser:
    """A laser whose settings and emission act on the world's `laser_output`."""

    def __init__(self, world: World) -> None:
        self._world, self._output = world, world.laser_output
        self.connection = Connection(
            world, self.name, "laser_unplugged", "laser_timeout", self._output.interlock
        )

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock laser"

    @property
    def timing(self) -> Timing:
        """The shutter's time."""
        return Timing(latency_ms=1.0, duration_ms=4.0)

    @property
    def power_mw(self) -> float:
        """Power while the emission is on, as set."""
        self.connection.read()
        return self._output.power_mw

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        self.connection.call()
        low, high = self.power_range_mw
        if not low <= value <= high:
            raise DeviceValueError(f"{self.name}: power {value} mW; allowed is {low} ... {high} mW")
        self._world.before_change()
        self._output.power_mw = value

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return (0.0, 100.0)

    @property
    def emission(self) -> bool:
        """True while light comes out (or will, once the shutter has opened)."""
        self.connection.read()
        return self._output.emission

    @emission.setter
    def emission(self, value: bool) -> None:
        if value:
            self.connection.call()
        else:
            self.connection.read()
        self._world.before_change()
        self._output.switch(value, self._world.clock.now_s() + self.timing.total_ms * 1e-3)

    def send_off(self) -> None:
        """Switch the emission off, unless the cable is unplugged."""
        self.connection.read()
        self._world.before_change()
        self._output.switch(False, self._world.clock.now_s() + self.timing.total_ms * 1e-3)

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength by the data sheet."""
        return self._world.geometry.wavelength_nm

    def close(self) -> None:
        """Switch the emission off."""
        self._output.emission = False
        self.connection.closed = True

    def reopen(self) -> None:
        """Connect anew, dark, at its start power. Raises DeviceNotFoundError while unplugged."""
        self.connection.open()
        self._output.reset()


class MockPowerMeter:
    """A meter that reads what the laser emits."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock power meter"

    @property
    def timing(self) -> Timing:
        """Averaging time."""
        return Timing(latency_ms=0.0, duration_ms=3.0)

    def read_mw(self) -> float:
        """Return the optical power now."""
        return self._world.laser_output.power_mw_at(self._world.clock.now_s())

    def close(self) -> None:
        """Do nothing: there is no connection to close."""
