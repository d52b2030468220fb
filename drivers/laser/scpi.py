"""A laser that takes commands in lines of text through VISA; its commands are its dialect."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Literal

from drivers.errors import DeviceError, DeviceStateError, DeviceValueError
from drivers.laser.line import LaserLine
from drivers.settings import LaserSettings
from drivers.types import Timing
from drivers.visa import LIBRARY, VisaLink

State = Literal["emitting", "ready", "warming up", "interlocked"]
REAL_LIBRARIES = (LIBRARY, "@ivi")
"""VISA libraries that reach instruments; any other simulates them, each process its own."""
POLL_S = 0.01
"""Time between two questions whether the emission has changed."""


@dataclass(frozen=True)
class ScpiDialect:
    """The commands of one laser; those that are empty it does not have. {power} is the power in power_unit.

    interlock_closed, warm, on, off: answers with this meaning, in capital letters. warm_up_bits: of a
    status word in hexadecimal; then `warm` is not used. least_mw, greatest_mw: where it cannot be asked.
    library: of VISA. timeout_ms: for an answer. shutter_ms: until its light is stable, if it cannot
    report it.
    """

    prepare: tuple[str, ...] = ()
    identify: str = "*IDN?"
    set_power: str = "SOUR:POW {power:.6f}"
    ask_power: str = "SOUR:POW?"
    ask_least: str = "SOUR:POW? MIN"
    ask_greatest: str = "SOUR:POW? MAX"
    least_mw: float = 0.0
    greatest_mw: float = 0.0
    power_unit: Literal["W", "mW"] = "W"
    switch_on: str = "OUTP ON"
    switch_off: str = "OUTP OFF"
    ask_emission: str = "OUTP?"
    on: tuple[str, ...] = ("ON", "1")
    off: tuple[str, ...] = ("OFF", "0")
    ask_done: str = "*OPC?"
    ask_error: str = "SYST:ERR?"
    ask_interlock: str = ""
    interlock_closed: tuple[str, ...] = ("ON", "1", "OK", "CLOSED")
    ask_warm_up: str = ""
    warm: tuple[str, ...] = ("1", "READY", "ON")
    warm_up_bits: int = 0
    shutter_ms: float = 10.0
    timeout_ms: int = 2000
    library: str = LIBRARY
    baud_rate: int = 0

    def __post_init__(self) -> None:
        try:
            self.set_power.format(power=1.0)
        except (KeyError, IndexError, ValueError):
            raise DeviceValueError(
                f'set_power = {self.set_power!r}: expected a command with {{power}}, as "POW {{power}}"'
            ) from None
        if "{power" not in self.set_power:
            raise DeviceValueError(f"set_power = {self.set_power!r}: {{power}} is missing in it")
        if not (self.ask_greatest or self.greatest_mw > self.least_mw):
            raise DeviceValueError("greatest_mw: is missing where ask_greatest is empty")
        if self.timeout_ms < 1 or self.baud_rate < 0 or self.shutter_ms < 0:
            raise DeviceValueError("timeout_ms, baud_rate, shutter_ms: must not be below 1, 0, 0")


@dataclass(frozen=True)
class ObisDialect(ScpiDialect):
    """Coherent OBIS: it has no *OPC?, and reports warm-up in its status word."""

    prepare: tuple[str, ...] = ("SYST:COMM:HAND OFF",)
    set_power: str = "SOUR:POW:LEV:IMM:AMPL {power:.6f}"
    ask_power: str = "SOUR:POW:LEV:IMM:AMPL?"
    ask_least: str = "SOUR:POW:LIM:LOW?"
    ask_greatest: str = "SOUR:POW:LIM:HIGH?"
    switch_on: str = "SOUR:AM:STAT ON"
    switch_off: str = "SOUR:AM:STAT OFF"
    ask_emission: str = "SOUR:AM:STAT?"
    ask_done: str = ""
    ask_error: str = "SYST:ERR:NEXT?"
    ask_interlock: str = "SYST:LOCK?"
    ask_warm_up: str = "SYST:STAT?"
    warm_up_bits: int = 0x110


class ScpiLaser:
    """Opens with the emission off; close() switches it off."""

    Options: ClassVar[type[ScpiDialect]] = ScpiDialect

    def __init__(self, link: VisaLink, wavelength_nm: float, dialect: ScpiDialect) -> None:
        self._link, self._wavelength_nm, self._dialect = link, wavelength_nm, dialect
        self._to_mw = 1e3 if dialect.power_unit == "W" else 1.0
        try:
            for command in dialect.prepare:
                link.write(command)
            self.emission = False
            self._range_mw = (
                self._asked_mw(dialect.ask_least, dialect.least_mw),
                self._asked_mw(dialect.ask_greatest, dialect.greatest_mw),
            )
        except BaseException:
            link.close()
            raise

    @classmethod
    def from_settings(cls, settings: LaserSettings[ScpiDialect]) -> ScpiLaser:
        """Connect to a VISA address. Raises DeviceNotFoundError."""
        dialect = settings.options
        more = {"baud_rate": dialect.baud_rate} if dialect.baud_rate else {}
        link = VisaLink.open(
            settings.address,
            dialect.timeout_ms,
            dialect.library,
            dialect.identify,
            first=dialect.switch_off,
            **more,
        )
        return cls(link, settings.wavelength_nm, dialect)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._link.identity

    @property
    def timing(self) -> Timing:
        """Time for the emission to change, after the laser reported that it has."""
        return Timing(latency_ms=0.0, duration_ms=self._dialect.shutter_ms)

    @property
    def power_mw(self) -> float:
        """Set power."""
        return self._asked_mw(self._dialect.ask_power, 0.0)

    @power_mw.setter
    def power_mw(self, value: float) -> None:
        low, high = self._range_mw
        if not low <= value <= high:
            raise DeviceValueError(f"{self.name}: power {value} mW; allowed is {low} ... {high} mW")
        self._order(self._dialect.set_power.format(power=value / self._to_mw))

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return self._range_mw

    @property
    def emission(self) -> bool:
        """True while light comes out. Raises DeviceError for an answer that means neither on nor off."""
        dialect = self._dialect
        answer = self._link.query(dialect.ask_emission)
        if answer.upper() not in dialect.on + dialect.off:
            raise DeviceError(
                f"{self.name}: {dialect.ask_emission}: answers {answer!r}; known are "
                f"{', '.join(dialect.on)} (on) and {', '.join(dialect.off)} (off): laser.options.on, off"
            )
        return answer.upper() in dialect.on

    @emission.setter
    def emission(self, value: bool) -> None:
        if not value:
            self.send_off()
            self._wait_for(False)
            return
        state = self.state
        if state == "interlocked":
            raise DeviceStateError(f"{self.name}: the interlock is open; close it, turn the key")
        if state == "warming up":
            raise DeviceStateError(f"{self.name}: is warming up; try again in some minutes")
        self._order(self._dialect.switch_on)
        self._wait_for(True)

    def send_off(self) -> None:
        """Send the order to switch off; nothing is asked."""
        self._link.send(self._dialect.switch_off)

    @property
    def state(self) -> State:
        """Interlock and warm-up, as far as its dialect has commands for them."""
        dialect = self._dialect
        if dialect.ask_interlock and not self._answers(
            dialect.ask_interlock, dialect.interlock_closed
        ):
            return "interlocked"
        if dialect.ask_warm_up and not self._is_warm():
            return "warming up"
        return "emitting" if self.emission else "ready"

    @property
    def line(self) -> LaserLine | None:
        """The line by which a guardian reaches it; None through another library than an instrument's."""
        dialect = self._dialect
        if dialect.library not in REAL_LIBRARIES:
            return None
        return LaserLine(
            self._link.address,
            dialect.switch_off,
            dialect.ask_emission,
            dialect.off,
            dialect.identify,
            dialect.timeout_ms,
            dialect.library,
            dialect.baud_rate,
        )

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        return self._wavelength_nm

    def close(self) -> None:
        """Switch the emission off, and let go."""
        if not self._link.closed:
            try:
                self.emission = False
            finally:
                self._link.close()

    def _order(self, command: str) -> None:
        self._link.write(command)
        if self._dialect.ask_error:
            self._link.check(self._dialect.ask_error, command)

    def _wait_for(self, on: bool) -> None:
        """Wait until another instrument may measure the light: the laser reports that it is done."""
        if self._dialect.ask_done:
            self._link.query(self._dialect.ask_done)
        until_s = time.monotonic() + self._dialect.timeout_ms / 1e3
        while self.emission != on:
            if time.monotonic() > until_s:
                word = "stays dark; check interlock and key switch" if on else "STILL EMITS"
                raise DeviceError(f"{self.name}: was switched {'on' if on else 'off'} and {word}")
            time.sleep(POLL_S)

    def _asked_mw(self, command: str, else_mw: float) -> float:
        return self._to_mw * self._link.number(command) if command else else_mw

    def _answers(self, command: str, answers: tuple[str, ...]) -> bool:
        return self._link.query(command).upper() in answers

    def _is_warm(self) -> bool:
        dialect = self._dialect
        if not dialect.warm_up_bits:
            return self._answers(dialect.ask_warm_up, dialect.warm)
        answer = self._link.query(dialect.ask_warm_up)
        try:
            return not int(answer, 16) & dialect.warm_up_bits
        except ValueError:
            raise DeviceError(
                f"{self.name}: {dialect.ask_warm_up}: answers {answer!r}, which is no status word"
            ) from None


class ObisLaser(ScpiLaser):
    """Coherent OBIS, power in watts."""

    Options: ClassVar[type[ScpiDialect]] = ObisDialect
