"""A laser with a shutter, and a meter that reads it."""

from __future__ import annotations

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.types import Timing


class MockLaser:
    """Steady power; dark until the emission is switched on."""

    def __init__(self, wavelength_nm: float) -> None:
        self._wavelength_nm = wavelength_nm
        self._power_mw = 10.0
        self._emission = False
        self._closed = False

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
        """Power while the emission is on."""
        return self._power_mw

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        low, high = self.power_range_mw
        if not low <= value <= high:
            raise DeviceValueError(f"{self.name}: power {value} mW; allowed is {low} ... {high} mW")
        self._power_mw = value

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return (0.0, 100.0)

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        return self._emission

    @emission.setter
    def emission(self, value: bool) -> None:
        if self._closed and value:
            raise DeviceStateError(f"{self.name}: is closed")
        self._emission = value

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        return self._wavelength_nm

    def close(self) -> None:
        """Emission off."""
        self._emission = False
        self._closed = True


class MockPowerMeter:
    """Reads what the laser emits."""

    def __init__(self, laser: MockLaser) -> None:
        self._laser = laser

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock power meter"

    @property
    def timing(self) -> Timing:
        """Averaging time."""
        return Timing(latency_ms=0.0, duration_ms=3.0)

    def read_mw(self) -> float:
        """Optical power now."""
        return self._laser.power_mw if self._laser.emission else 0.0

    def close(self) -> None:
        """Nothing to let go of."""
