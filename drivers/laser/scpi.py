"""A laser that speaks SCPI as the Coherent OBIS does (power in W, SOURce:AM:STATe)."""

from __future__ import annotations

from drivers.errors import DeviceValueError
from drivers.types import Timing
from drivers.visa import VisaLink


class ScpiLaser:
    """Opens with the emission off; close() switches it off."""

    def __init__(self, link: VisaLink, wavelength_nm: float) -> None:
        self._link = link
        self._wavelength_nm = wavelength_nm
        link.write("SYST:COMM:HAND OFF")
        self._name = link.query("*IDN?")
        low, high = (link.number(f"SOUR:POW:LIM:{end}?") for end in ("LOW", "HIGH"))
        self._range_mw = (1e3 * low, 1e3 * high)
        self.emission = False

    @classmethod
    def from_settings(cls, address: str, wavelength_nm: float) -> ScpiLaser:
        """As the bench file has it."""
        return cls(VisaLink.open(address), wavelength_nm)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def timing(self) -> Timing:
        """Time for the emission to change."""
        return Timing(latency_ms=10.0, duration_ms=10.0)

    @property
    def power_mw(self) -> float:
        """Set power."""
        return 1e3 * self._link.number("SOUR:POW:LEV:IMM:AMPL?")

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        low, high = self._range_mw
        if not low <= value <= high:
            raise DeviceValueError(f"{self.name}: power {value} mW; allowed is {low} ... {high} mW")
        self._link.write(f"SOUR:POW:LEV:IMM:AMPL {value * 1e-3:.6f}")

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return self._range_mw

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        return self._link.query("SOUR:AM:STAT?").upper() in ("ON", "1")

    @emission.setter
    def emission(self, value: bool) -> None:
        self._link.write(f"SOUR:AM:STAT {'ON' if value else 'OFF'}")

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        return self._wavelength_nm

    def close(self) -> None:
        """Emission off, and let go."""
        if not self._link.closed:
            try:
                self.emission = False
            finally:
                self._link.close()
