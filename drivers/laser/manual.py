"""A laser without a line: a person switches it, or blocks its beam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.errors import DeviceStateError, DeviceValueError, LaserMayBeOnError
from drivers.operator import HandRequest, request_by_hand
from drivers.settings import LaserSettings
from drivers.types import Timing

NAME = "laser switched by hand (power and state as told by the operator)"


@dataclass(frozen=True, slots=True)
class ManualOptions:
    """What the operator is asked to do.

    least_mw, greatest_mw: to which its power can be set by hand; greatest_mw = 0 if it cannot be set.
    unblock, block: what lets the light out and what stops it, in the laboratory's own words.
    """

    unblock: str = "open the laser's shutter, or take the beam block away"
    block: str = "block the laser's beam, or switch it off"
    least_mw: float = 0.0
    greatest_mw: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.least_mw <= max(self.greatest_mw, self.least_mw):
            raise DeviceValueError("least_mw, greatest_mw: must be 0 or more, the least first")
        if not (self.unblock.strip() and self.block.strip()):
            raise DeviceValueError("unblock, block: must not be empty")


class ManualLaser:
    """Opens once the operator has blocked the beam. Power and emission are what the operator was asked for.

    The power that is set first, from the bench file, is taken to be the laser's.
    """

    Options: ClassVar[type[ManualOptions]] = ManualOptions

    def __init__(self, wavelength_nm: float, options: ManualOptions) -> None:
        self._wavelength_nm, self._options = wavelength_nm, options
        self._power_mw: float | None = None
        self._emits = self._closed = False
        self._ask(options.block, "no light reaches the SLM")

    @classmethod
    def from_settings(cls, settings: LaserSettings[ManualOptions]) -> ManualLaser:
        """Ask the operator to block the beam. Raises DeviceStateError if there is nobody to be asked."""
        return cls(settings.wavelength_nm, settings.options)

    @property
    def name(self) -> str:
        """What it is, and that its state is hearsay."""
        return NAME

    @property
    def timing(self) -> Timing:
        """No time: the operator waits until the light is steady."""
        return Timing(latency_ms=0.0, duration_ms=0.0)

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength, by the bench file."""
        return self._wavelength_nm

    @property
    def power_mw(self) -> float:
        """Power that the operator was asked for."""
        return self._power_mw or 0.0

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        if value < 0.0:
            raise DeviceValueError(f"{NAME}: power {value} mW; must not be below 0")
        if self._power_mw is not None and value != self._power_mw:
            low, high = self.power_range_mw
            if not low <= value <= high:
                raise DeviceValueError(
                    f"{NAME}: power {value:g} mW; allowed is {low:g} ... {high:g} mW: "
                    "laser.options.least_mw, greatest_mw, if it can be set by hand"
                )
            self._ask(f"set its power to {value:g} mW", f"it was {self._power_mw:g} mW")
        self._power_mw = value

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power; both are the set one if it cannot be set by hand."""
        options = self._options
        if options.greatest_mw > 0.0:
            return options.least_mw, options.greatest_mw
        return (0.0, 1e5) if self._power_mw is None else (self._power_mw, self._power_mw)

    @property
    def emission(self) -> bool:
        """True from when the operator let the light out until the operator stopped it."""
        return self._emits

    @emission.setter
    def emission(self, value: bool) -> None:
        if self._closed:
            raise DeviceStateError(f"{NAME}: is closed")
        if value == self._emits:
            return
        if value:
            # On before the answer: a beam may be free as soon as the operator was asked to free it.
            self._emits = True
            self._ask(self._options.unblock, f"{self.power_mw:g} mW reach the SLM")
            return
        try:
            self._ask(self._options.block, "no light reaches the SLM")
        except DeviceStateError as error:
            raise LaserMayBeOnError(f"{error}") from error
        self._emits = False

    def send_off(self) -> None:
        """Do nothing: no order reaches it. The operator is asked when the emission is switched off."""

    def close(self) -> None:
        """Ask for the beam to be blocked, and let go."""
        if not self._closed:
            try:
                self.emission = False
            finally:
                self._closed = True

    @staticmethod
    def _ask(act: str, expected: str) -> None:
        request_by_hand(HandRequest("laser", act, expected))
