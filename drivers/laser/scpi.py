"""A laser that takes commands in lines of text through VISA; its commands are its dialect."""

from __future__ import annotations

import logging
import time
from typing import ClassVar, Literal

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
    LaserMayBeOnError,
)
from drivers.laser.dialect import ScpiDialect
from drivers.laser.line import LaserLine
from drivers.settings import LaserSettings
from drivers.types import Timing
from drivers.visa import LIBRARY, VisaLink

State = Literal["emitting", "ready", "warming up", "interlocked"]
REAL_LIBRARIES = (LIBRARY, "@ivi")
"""VISA libraries that reach instruments; any other simulates them, each process its own."""
POLL_S = 0.01
"""Time between two questions whether the emission has changed."""
MW = {"W": 1e3, "mW": 1.0, "uW": 1e-3, "µW": 1e-3}
"""Milliwatts of the units of power in which lasers answer."""
LEAST_MISS = 1e-3
"""Share of the greatest power by which a power that is read back may always differ: its rounding."""

log = logging.getLogger(__name__)


class ScpiLaser:
    """Opens with the emission off; close() switches it off.

    Every change of emission or power is read back. Raises LaserMayBeOnError if the laser cannot be
    confirmed dark.
    """

    Options: ClassVar[type[ScpiDialect]] = ScpiDialect

    def __init__(self, link: VisaLink, wavelength_nm: float, dialect: ScpiDialect) -> None:
        self._link, self._wavelength_nm, self._dialect = link, wavelength_nm, dialect
        self._on = {each.upper() for each in dialect.on}
        self._off = {each.upper() for each in dialect.off}
        self._off_orders = 0
        try:
            if dialect.ask_error:
                for error in link.emptied(dialect.ask_error):
                    log.info("%s: had an error from before in its queue: %s", link.identity, error)
            self.emission = False
            for command in dialect.prepare:
                self._order(command)
            self._range_mw = (
                self._asked_mw(dialect.ask_least, dialect.least_mw),
                self._asked_mw(dialect.ask_greatest, dialect.greatest_mw),
            )
        except BaseException:
            link.close()
            raise

    @classmethod
    def from_settings(cls, settings: LaserSettings[ScpiDialect]) -> ScpiLaser:
        """Connect to a VISA address. Raises DeviceNotFoundError, LaserMayBeOnError."""
        dialect = settings.options
        link = VisaLink.open(
            settings.address,
            dialect.timeout_ms,
            dialect.library,
            dialect.identify,
            first=dialect.switch_off,
            settings=dialect.of_the_line(),
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
        dialect = self._dialect
        self._order(dialect.set_power.format(power=value / MW[dialect.power_unit]))
        if not (dialect.ask_power and dialect.power_tolerance):
            return
        found_mw = self.power_mw
        if abs(found_mw - value) > max(dialect.power_tolerance * value, LEAST_MISS * high):
            raise DeviceError(
                f"{self.name}: its power was set to {value:g} mW and reads {found_mw:g} mW; check "
                "set_power, power_unit and ask_power in laser.options, or set power_tolerance"
            )

    @property
    def power_range_mw(self) -> tuple[float, float]:
        """Least and greatest power."""
        return self._range_mw

    @property
    def emission(self) -> bool:
        """True while light comes out. Raises DeviceError for an answer that is neither on nor off."""
        answer = self._link.query(self._dialect.ask_emission)
        if answer.upper() in self._on:
            return True
        if answer.upper() in self._off:
            return False
        raise DeviceError(
            f"{self.name}: {self._dialect.ask_emission}: answers {answer!r}, which is neither "
            f"{' nor '.join(self._dialect.on)} (on) nor {' nor '.join(self._dialect.off)} (off); "
            "set laser.options.on and laser.options.off to the laser's own words"
        )

    @emission.setter
    def emission(self, value: bool) -> None:
        if not value:
            self._switch_off()
            return
        off_orders = self._off_orders
        state = self.state
        if state == "interlocked":
            raise DeviceStateError(f"{self.name}: the interlock is open; close it, turn the key")
        if state == "warming up":
            raise DeviceStateError(f"{self.name}: is warming up; try again in some minutes")
        self._refuse_if_overtaken(off_orders)
        self._order(self._dialect.switch_on)
        if not self._reaches(True, off_orders):
            self._refuse_if_overtaken(off_orders)
            raise DeviceError(
                f"{self.name}: was switched on and stays dark; check interlock and key switch"
            )

    def send_off(self) -> None:
        """Send the order to switch off; nothing is asked."""
        self._off_orders += 1
        self._link.send(self._dialect.switch_off)

    def _refuse_if_overtaken(self, off_orders: int) -> None:
        """Raise DeviceStateError if there were more orders to switch off than these."""
        if self._off_orders != off_orders:
            raise DeviceStateError(f"{self.name}: was switched off while it was being switched on")

    def _switch_off(self) -> None:
        """Send the order, then look whether it was obeyed. Raises LaserMayBeOnError if it may not be."""
        dialect = self._dialect
        self.send_off()
        try:
            if not self._reaches(False):
                raise LaserMayBeOnError(
                    f"{self.name}: was switched off and STILL EMITS; switch it off by hand, and check "
                    f"laser.options.switch_off = {dialect.switch_off!r}"
                )
            if dialect.ask_error:
                self._link.check(dialect.ask_error, dialect.switch_off)
        except (
            LaserMayBeOnError,
            DeviceStateError,
            DeviceDisconnectedError,  # a lost line is opened again, and the order sent once more
            DeviceTimeoutError,
        ):
            raise
        except DeviceError as error:
            raise LaserMayBeOnError(f"it cannot be confirmed dark: {error}") from error

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
            tuple(sorted(self._off)),
            dialect.identify,
            dialect.timeout_ms,
            dialect.library,
            dialect.of_the_line(),
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

    def _reaches(self, on: bool, off_orders: int | None = None) -> bool:
        """Wait until another instrument may measure the light; return whether it is as it was switched.

        Ends at once if there are other orders to switch off than these, which may come from another thread.
        """
        if self._dialect.ask_done:
            self._link.query(self._dialect.ask_done)
        until_s = time.monotonic() + self._dialect.timeout_ms / 1e3
        while self.emission != on:
            overtaken = off_orders is not None and self._off_orders != off_orders
            if overtaken or time.monotonic() > until_s:
                return False
            time.sleep(POLL_S)
        return True

    def _asked_mw(self, command: str, else_mw: float) -> float:
        if not command:
            return else_mw
        dialect = self._dialect
        value, unit = self._link.quantity(command, dialect.power_answer)
        if unit and unit not in MW:
            raise DeviceError(
                f"{self.name}: {command}: answers in {unit!r}; known are {', '.join(MW)}"
            )
        return value * MW[unit or dialect.power_unit]

    def _answers(self, command: str, answers: tuple[str, ...]) -> bool:
        return self._link.query(command).upper() in {each.upper() for each in answers}

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
