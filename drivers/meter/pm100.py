"""Thorlabs PM100 power meters through VISA."""

from __future__ import annotations

from drivers.types import Timing
from drivers.visa import VisaLink


class Pm100:
    """Reads power at one wavelength."""

    def __init__(self, link: VisaLink, wavelength_nm: float) -> None:
        self._link = link
        self._name = link.query("*IDN?")
        link.write("SENS:POW:UNIT W")
        link.write(f"SENS:CORR:WAV {wavelength_nm:g}")

    @classmethod
    def from_settings(cls, address: str, wavelength_nm: float) -> Pm100:
        """As the bench file has it."""
        return cls(VisaLink.open(address), wavelength_nm)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def timing(self) -> Timing:
        """Averaging time."""
        return Timing(latency_ms=0.0, duration_ms=10.0)

    def read_mw(self) -> float:
        """Optical power now."""
        return 1e3 * self._link.number("MEAS:POW?")

    def close(self) -> None:
        """Let go."""
        self._link.close()
