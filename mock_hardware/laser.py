"""A laser with a shutter, and a meter that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import DeviceValueError
from drivers.types import Timing
from mock_hardware.connection import Plug
from mock_hardware.state import State

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory


START_POWER_MW = 10.0


class MockLaser:
    """Dark until the emission is switched on and the shutter has opened; its power drifts."""

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab = laboratory
        self._power_mw = START_POWER_MW
        self._emission = False
        self._opens_s = self._shuts_s = float("-inf")
        self.plug = Plug(laboratory, self.name, "laser_unplugged", "laser_timeout", self.interlock)

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
        self.plug.read()
        return self._power_mw

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        self.plug.call()
        low, high = self.power_range_mw
        if not low <= value <= high:
            raise DeviceValueError(f"{self.name}: power {value} mW; allowed is {low} ... {high} mW")
        self._lab.before_change()
        self._power_mw = value

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return (0.0, 100.0)

    @property
    def emission(self) -> bool:
        """True while light comes out (or will, once the shutter has opened)."""
        self.plug.read()
        return self._emission

    @emission.setter
    def emission(self, value: bool) -> None:
        if value:
            self.plug.call()
        else:
            self.plug.read()
        self._lab.before_change()
        if value != self._emission:
            moves_s = self._lab.clock.now_s() + self.timing.total_ms * 1e-3
            if value:
                self._opens_s = moves_s
            else:
                self._shuts_s = moves_s
        self._emission = value

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength by the data sheet."""
        return self._lab.geometry.wavelength_nm

    def close(self) -> None:
        """Emission off."""
        self._emission = False
        self.plug.closed = True

    def reopen(self) -> None:
        """Connect anew, dark, at its own power. Raises DeviceNotFoundError while unplugged."""
        self.plug.open()
        self._power_mw, self._emission = START_POWER_MW, False

    def state(self) -> State:
        """Settings and shutter."""
        return {
            "power_mw": self._power_mw,
            "emission": int(self._emission),
            "opens_s": self._opens_s,
            "shuts_s": self._shuts_s,
        }

    def restore(self, state: State) -> None:
        """As it was."""
        self._power_mw = float(state["power_mw"])
        self._emission = bool(state["emission"])
        self._opens_s, self._shuts_s = float(state["opens_s"]), float(state["shuts_s"])

    def interlock(self) -> None:
        """Dark at once, and until the emission is switched on again."""
        self._emission = False
        self._shuts_s = float("-inf")

    def light_mw(self, now_s: float) -> float:
        """What leaves the shutter at a moment."""
        open_now = now_s >= self._opens_s - 1e-9 if self._emission else now_s < self._shuts_s - 1e-9
        return self._power_mw * (1.0 + self._lab.drift.at(now_s).power) if open_now else 0.0


class MockPowerMeter:
    """Reads what the laser emits."""

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab = laboratory

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
        return self._lab.laser.light_mw(self._lab.clock.now_s())

    def close(self) -> None:
        """Nothing to let go of."""
