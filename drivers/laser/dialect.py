"""The commands and answers of a laser that is controlled by lines of text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from drivers.errors import DeviceValueError
from drivers.line_settings import LineSettings
from drivers.visa import LIBRARY, NUMBER


@dataclass(frozen=True)
class ScpiDialect(LineSettings):
    """The commands of one laser; those that are empty it does not have. {power} is the power in power_unit.

    prepare: sent at opening, once the laser is dark. on, off: answers to ask_emission with this meaning, in
    capital letters; any other answer is an error. interlock_closed, warm: the same. warm_up_bits: of a
    status word in hexadecimal; then `warm` is not used. power_answer: regular expression of the whole
    answer to ask_power, with a group "value" and perhaps one "unit". power_tolerance: largest share by
    which the power read back may differ from the power set; 0: it is not compared. least_mw, greatest_mw:
    where they cannot be asked. library: of VISA. timeout_ms: for an answer. shutter_ms: until its light is
    stable, if it cannot report it. Settings of the line: `LineSettings`.
    """

    prepare: tuple[str, ...] = ()
    identify: str = "*IDN?"
    set_power: str = "SOUR:POW {power:.6f}"
    ask_power: str = "SOUR:POW?"
    power_answer: str = NUMBER
    power_tolerance: float = 0.02
    ask_least: str = "SOUR:POW? MIN"
    ask_greatest: str = "SOUR:POW? MAX"
    least_mw: float = 0.0
    greatest_mw: float = 0.0
    power_unit: Literal["W", "mW", "uW"] = "W"
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

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_power()
        if not (self.switch_on and self.switch_off and self.ask_emission):
            raise DeviceValueError(
                "switch_on, switch_off, ask_emission: must not be empty; a laser that cannot report "
                'whether it emits is switched by hand: laser.driver = "manual"'
            )
        both = {each.upper() for each in self.on} & {each.upper() for each in self.off}
        if both or not self.on or not self.off:
            raise DeviceValueError(
                f"on = {list(self.on)}, off = {list(self.off)}: each needs an answer, none may be in both"
            )
        if self.timeout_ms < 1 or self.shutter_ms < 0:
            raise DeviceValueError("timeout_ms, shutter_ms: must not be below 1, 0")

    def _check_power(self) -> None:
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
        try:
            groups = re.compile(self.power_answer).groupindex
        except re.error as error:
            raise DeviceValueError(
                f"power_answer = {self.power_answer!r}: is no regular expression: {error}"
            ) from None
        if "value" not in groups:
            raise DeviceValueError(
                f'power_answer = {self.power_answer!r}: has no group "value": (?P<value>...)'
            )
        if not 0.0 <= self.power_tolerance < 1.0:
            raise DeviceValueError(
                f"power_tolerance = {self.power_tolerance}: allowed is 0 ... 1, without 1"
            )
