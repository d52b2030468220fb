"""Thorlabs PM100 power meters through VISA (PM100D, PM100A, PM100USB, PM101, PM400)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.errors import DeviceError, DeviceValueError
from drivers.settings import MeterSettings
from drivers.types import Timing
from drivers.visa import LIBRARY, VisaLink

READING_MS = 3.0
"""Time of one reading of the converter; the meter averages over several."""
OVER_RANGE_W = 9e36
"""Power beyond which a reading is out of range; SCPI's number for infinity is 9.9e37."""
ASK_ERROR = "SYST:ERR?"


@dataclass(frozen=True)
class Pm100Options:
    """averages: readings in one. library: of VISA."""

    averages: int = 1
    timeout_ms: int = 2000
    library: str = LIBRARY

    def __post_init__(self) -> None:
        if not 1 <= self.averages <= 10_000 or self.timeout_ms < 1:
            raise DeviceValueError("averages: allowed is 1 ... 10000; timeout_ms: at least 1")


class Pm100:
    """Reads power at one wavelength; its range follows by itself."""

    Options: ClassVar[type[Pm100Options]] = Pm100Options

    def __init__(self, link: VisaLink, wavelength_nm: float, averages: int = 1) -> None:
        self._link, self._averages = link, averages
        self._wavelength_nm = wavelength_nm
        try:
            low, high = (link.number(f"SENS:CORR:WAV? {end}") for end in ("MIN", "MAX"))
            if not low <= wavelength_nm <= high:
                raise DeviceValueError(
                    f"{self.name}: {wavelength_nm:g} nm; its sensor takes {low:g} ... {high:g} nm"
                )
            for command in (
                "SENS:POW:UNIT W",
                "SENS:POW:RANG:AUTO ON",
                f"SENS:AVER:COUN {averages}",
                f"SENS:CORR:WAV {wavelength_nm:g}",
            ):
                link.write(command)
                link.check(ASK_ERROR, command)
        except BaseException:
            link.close()
            raise

    @classmethod
    def from_settings(cls, settings: MeterSettings[Pm100Options]) -> Pm100:
        """Connect to a VISA address.

        Raises DeviceNotFoundError, DeviceValueError for a wavelength that its sensor does not take.
        """
        given = settings.options
        link = VisaLink.open(settings.address, given.timeout_ms, given.library)
        return cls(link, settings.wavelength_nm, given.averages)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._link.identity

    @property
    def timing(self) -> Timing:
        """Averaging time."""
        return Timing(latency_ms=0.0, duration_ms=READING_MS * self._averages)

    @property
    def wavelength_nm(self) -> float:
        """Wavelength that was set, for which the sensor's response is taken."""
        return self._wavelength_nm

    def read_mw(self) -> float:
        """Return the optical power now. Raises DeviceError if it is beyond the sensor's range."""
        power_w = self._link.number("MEAS:POW?")
        if abs(power_w) > OVER_RANGE_W:
            raise DeviceError(f"{self.name}: the power is beyond its range; attenuate the beam")
        return 1e3 * power_w

    def close(self) -> None:
        """Let go."""
        self._link.close()
