"""What a maker has measured of a panel, and how slow it is: options that every SLM driver takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.errors import DeviceValueError

VOLTAGE_LUT = "voltage_lut"
"""Name of the option of a file of voltages, in drivers whose library uploads it."""
WITHOUT_UPLOAD = (
    "load it with the maker's own program once (the panel keeps it), then name the phase response that "
    "goes with it in slm.options.lut"
)
"""What to do where a driver's library uploads no voltages."""
LutValues = Literal["auto", "rad", "pi", "levels"]


@dataclass(frozen=True, slots=True)
class PanelOptions:
    """The options of the bench file's [slm.options] that belong to the panel, not to the driver.

    correction: file of the flatness map, added to every pattern, modulo 2 pi. correction_two_pi_level: its
    level that means 2 pi; 0: 256 for 8-bit pictures, and radians for numbers. correction_wavelength_nm: for
    which it was made; 0: the bench's. correction_flip: what is reversed in it. correction_top,
    correction_left: panel's pixel on which its first one lies. lut: file of the phase of each grey level.
    lut_values: what stands in it; "auto": by its name and its numbers. two_pi_level: grey level of 2 pi
    where the response is straight, instead of a lut; 0: the last level is one step short of it. crystal_ms:
    until the liquid crystal has settled; 0: as the driver declares.
    """

    correction: str = ""
    correction_two_pi_level: float = 0.0
    correction_wavelength_nm: float = 0.0
    correction_flip: Literal["none", "rows", "columns", "both"] = "none"
    correction_top: int = 0
    correction_left: int = 0
    lut: str = ""
    lut_values: LutValues = "auto"
    two_pi_level: float = 0.0
    crystal_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.lut and self.two_pi_level:
            raise DeviceValueError("lut, two_pi_level: give one of them")
        values = {
            "correction_two_pi_level": self.correction_two_pi_level,
            "correction_wavelength_nm": self.correction_wavelength_nm,
            "two_pi_level": self.two_pi_level,
            "crystal_ms": self.crystal_ms,
        }
        for name, value in values.items():
            if not 0.0 <= value <= 1e6:
                raise DeviceValueError(f"{name} = {value}: allowed is 0 ... 1e6")

    @property
    def empty(self) -> bool:
        """True if there is nothing to be done."""
        return not (self.correction or self.lut or self.two_pi_level or self.crystal_ms)
