"""M Squared SolsTiS: a tunable laser with a pump of its own.

Its protocol tunes and tells, but switches no light: that is the pump's. So the pump is told where its
VISA address is; without one, light is only looked for, and switching off is for a hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from drivers.errors import DeviceError, DeviceNotFoundError, DeviceStateError, DeviceValueError
from drivers.laser.dialect import ScpiDialect
from drivers.laser.line import LaserLine
from drivers.laser.scpi import ScpiLaser
from drivers.laser.solstis_tcp import SolstisConnection
from drivers.settings import LaserSettings
from drivers.types import Timing

PORT = 39933
"""TCP port of an ICE-BLOC."""
TUNED = {0: "", 1: "the command failed", 2: "the wavelength is out of range"}


@dataclass(frozen=True)
class SolstisOptions:
    """tune: to the bench's wavelength by the laser's table, when it is opened; within_nm: else how far off.

    pump_address: VISA; its commands as in `ScpiDialect`. least_monitor: of its output monitor, in V, with
    light. power_mw: what comes out, where no pump is named; it cannot be set then.
    """

    tune: bool = False
    within_nm: float = 0.5
    tune_timeout_ms: int = 60_000
    timeout_ms: int = 5000
    least_monitor: float = 0.05
    power_mw: float = 1000.0
    pump_address: str = ""
    pump_identify: str = "*IDN?"
    pump_on: str = "OUTP ON"
    pump_off: str = "OUTP OFF"
    pump_emission: str = "OUTP?"
    pump_error: str = "SYST:ERR?"
    pump_done: str = "*OPC?"
    pump_set_power: str = "SOUR:POW {power:.6f}"
    pump_power: str = "SOUR:POW?"
    pump_greatest_mw: float = 18_000.0

    def dialect(self) -> ScpiDialect:
        """Return the dialect of the pump."""
        return ScpiDialect(
            identify=self.pump_identify,
            switch_on=self.pump_on,
            switch_off=self.pump_off,
            ask_emission=self.pump_emission,
            ask_error=self.pump_error,
            ask_done=self.pump_done,
            set_power=self.pump_set_power,
            ask_power=self.pump_power,
            ask_least="",
            ask_greatest="",
            greatest_mw=self.pump_greatest_mw,
        )


class Solstis:
    """power_mw is the pump's."""

    Options: ClassVar[type[SolstisOptions]] = SolstisOptions

    def __init__(
        self,
        link: SolstisConnection,
        wavelength_nm: float,
        options: SolstisOptions,
        pump: ScpiLaser | None = None,
    ) -> None:
        self._link, self._options, self._pump = link, options, pump
        self._name = f"M Squared SolsTiS{f', pump {pump.name}' if pump else ''}"
        try:
            if options.tune:
                self.tune(wavelength_nm)
            found = float(self._number("wavelength"))
            if abs(found - wavelength_nm) > options.within_nm:
                raise DeviceNotFoundError(
                    f"{self.name}: stands at {found:.3f} nm; source.wavelength_nm is {wavelength_nm:g}. "
                    "Tune it, or set tune = true in laser.options"
                )
        except BaseException:
            link.close()
            raise

    @classmethod
    def from_settings(cls, settings: LaserSettings[SolstisOptions]) -> Solstis:
        """Connect to "host" or "host:port" of its ICE-BLOC. Raises DeviceNotFoundError."""
        address, wavelength_nm, given = settings.address, settings.wavelength_nm, settings.options
        host, colon, port = address.partition(":")
        if colon and not port.isdecimal():
            raise DeviceValueError(f'laser.address = {address!r}: expected "host" or "host:port"')
        link = SolstisConnection(host, int(port) if colon else PORT, given.timeout_ms / 1e3)
        pump = None
        try:
            if given.pump_address:
                pump = ScpiLaser.from_settings(
                    LaserSettings(given.pump_address, wavelength_nm, given.dialect())
                )
        except BaseException:
            link.close()
            raise
        try:
            return cls(link, wavelength_nm, given, pump)
        except BaseException:
            if pump is not None:
                pump.close()
            raise

    @property
    def name(self) -> str:
        """Maker, model; and of its pump."""
        return self._name

    @property
    def timing(self) -> Timing:
        """The pump's."""
        return self._pump.timing if self._pump else Timing(latency_ms=0.0, duration_ms=0.0)

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength where it stands now."""
        return float(self._number("wavelength"))

    def tune(self, wavelength_nm: float) -> None:
        """Tune the laser by its table.

        Raises DeviceValueError out of its range, DeviceError if it fails.
        """
        asked = self._link.ask("move_wave_t", wavelength=[wavelength_nm], report="finished")
        code = int(self._first("move_wave_t", asked, "status"))
        if code == 0:
            waits_s = self._options.tune_timeout_ms / 1e3
            code = int(self._first("tuning", self._link.report("move_wave_t", waits_s), "report"))
        if code:
            kind = DeviceValueError if code == 2 else DeviceError
            raise kind(f"{self.name}: {wavelength_nm:g} nm: {TUNED.get(code, f'code {code}')}")

    @property
    def power_mw(self) -> float:
        """The pump's power; without a pump, that of the options."""
        return self._pump.power_mw if self._pump else self._options.power_mw

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        if self._pump:
            self._pump.power_mw = value
        elif value != self._options.power_mw:
            raise DeviceValueError(
                f"{self.name}: power {value} mW cannot be set without its pump; "
                "name laser.options.pump_address, or set laser.options.power_mw"
            )

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest."""
        power_mw = self._options.power_mw
        return self._pump.power_range_mw if self._pump else (power_mw, power_mw)

    @property
    def emission(self) -> bool:
        """True while its output monitor sees light."""
        return float(self._number("output_monitor")) >= self._options.least_monitor

    @emission.setter
    def emission(self, value: bool) -> None:
        if self._link.closed:
            raise DeviceStateError(f"{self.name}: is closed")
        if value and self._status().get("temperature_status") == "off":
            raise DeviceStateError(f"{self.name}: its temperature control is off; is it warm?")
        if self._pump:
            self._pump.emission = value
        elif self.emission != value:
            word = "on" if value else "off"
            raise DeviceError(
                f"{self.name}: cannot be switched {word} without its pump; do it by hand, or name "
                "laser.options.pump_address"
            )

    def send_off(self) -> None:
        """Send the order to its pump; without one nothing can be sent."""
        if self._pump:
            self._pump.send_off()

    @property
    def line(self) -> LaserLine | None:
        """The line to its pump; None without one."""
        return self._pump.line if self._pump else None

    def close(self) -> None:
        """Switch the pump off, and let go."""
        try:
            if self._pump:
                self._pump.close()
        finally:
            self._link.close()

    def _status(self) -> dict[str, Any]:
        return self._link.ask("get_status")

    def _number(self, key: str) -> float:
        return self._first("get_status", self._status(), key)

    def _first(self, operation: str, values: dict[str, Any], key: str) -> float:
        """Return a number, which comes as a list of one. Raises DeviceError if there is none."""
        try:
            value = values[key]
            return float(value[0] if isinstance(value, list) else value)
        except (KeyError, IndexError, TypeError, ValueError):
            raise DeviceError(
                f"{self.name}: {operation}: {key!r} is missing in {values!r}"
            ) from None
