"""A laser on a line with habits: what real lasers send besides their answers, as their manuals have it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from drivers.errors import DeviceError
from drivers.options import checked_options
from drivers.protocols import Laser
from drivers.registry import LASERS
from drivers.settings import LaserSettings
from mock_hardware.visa.line import TcpLine

GREATEST_W = 0.15


@dataclass(frozen=True)
class Dialect:
    """How a laser speaks.

    driver, options: of the bench file. queries, orders: its words, by what they mean to a plain SCPI laser.
    end: of a command; answer_end: of an answer. echo, order_answer, after_answer, code, unit, prompt: what
    it sends besides. states: its words for dark and lit. unit_w: of its power, in W.
    """

    driver: str = "scpi_laser"
    options: dict[str, object] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)
    on: str = "OUTP ON"
    off: str = "OUTP OFF"
    power: str = "SOUR:POW "
    end: bytes = b"\n"
    answer_end: bytes = b"\r\n"
    echo: bool = False
    order_answer: str = ""
    after_answer: str = ""
    code: str = ""
    unit: str = ""
    prompt: str = ""
    states: tuple[str, str] = ("0", "1")
    unit_w: float = 1.0


SCPI = {
    "*IDN?": "identity",
    "OUTP?": "emission",
    "SOUR:POW?": "power",
    "SOUR:POW? MIN": "least",
    "SOUR:POW? MAX": "greatest",
    "SYST:ERR?": "error",
    "*OPC?": "done",
}
OBIS = {
    "*IDN?": "identity",
    "SOUR:AM:STAT?": "emission",
    "SOUR:POW:LEV:IMM:AMPL?": "power",
    "SOUR:POW:LIM:LOW?": "least",
    "SOUR:POW:LIM:HIGH?": "greatest",
    "SYST:ERR:NEXT?": "error",
    "SYST:LOCK?": "closed",
    "SYST:STAT?": "status",
}
OBIS_WORDS = {
    "driver": "obis",
    "queries": OBIS,
    "on": "SOUR:AM:STAT ON",
    "off": "SOUR:AM:STAT OFF",
    "power": "SOUR:POW:LEV:IMM:AMPL ",
    "states": ("OFF", "ON"),
}
WORDS = {"on": ["EMISSION ON"], "off": ["EMISSION OFF"]}
DIALECTS = {
    "plain": Dialect(),
    "carriage return": Dialect(end=b"\r", order_answer="OK"),
    "answers end with a carriage return": Dialect(answer_end=b"\r"),
    "echo": Dialect(echo=True),
    "orders are answered": Dialect(order_answer="OK"),
    "return codes": Dialect(order_answer="0", code="0 "),
    "units": Dialect(unit=" W"),
    "milliwatts, by unit": Dialect(unit=" mW", unit_w=1e-3),
    "words for states": Dialect(options=WORDS, states=("EMISSION OFF", "EMISSION ON")),
    "OBIS": Dialect(**OBIS_WORDS),  # type: ignore[arg-type]
    "OBIS behind its remote": Dialect(
        **OBIS_WORDS,  # type: ignore[arg-type]
        order_answer="OK",
        after_answer="OK",
    ),
    "Cobolt": Dialect(
        "cobolt",
        queries={"sn?": "identity", "l?": "emission", "p?": "power", "ilk?": "dark"},
        on="l1",
        off="l0",
        power="p ",
        end=b"\r",
        order_answer="OK",
    ),
    "Toptica iBeam smart": Dialect(
        "toptica_ibeam",
        queries={
            "show serial": "identity",
            "status laser": "emission",
            "show level power": "channel",
        },
        on="laser on",
        off="laser off",
        power="channel 2 power ",
        end=b"\r\n",
        order_answer="[OK]",
        after_answer="[OK]",
        prompt="CMD> ",
        states=("OFF", "ON"),
        unit_w=1e-6,
    ),
    "Toptica DLC pro": Dialect(
        "toptica_dlc_pro",
        queries={
            "(param-ref 'serial-number)": "identity",
            "(param-ref 'laser1:dl:cc:emission)": "emission",
            "(param-ref 'laser1:power-stabilization:setpoint)": "power",
            "(param-ref 'interlock-open)": "false",
        },
        on="(param-set! 'laser1:dl:cc:enabled #t)",
        off="(param-set! 'laser1:dl:cc:enabled #f)",
        power="(param-set! 'laser1:power-stabilization:setpoint ",
        order_answer="0",
        prompt="> ",
        states=("#f", "#t"),
        unit_w=1e-3,
    ),
    "Thorlabs ITC4000": Dialect(
        "thorlabs_itc4000",
        queries={
            "*IDN?": "identity",
            "OUTP1?": "emission",
            "SOUR:POW?": "power",
            "OUTP:PROT:INTL:TRIP?": "dark",
            "SYST:ERR?": "error",
            "*OPC?": "done",
        },
        on="OUTP1 ON",
        off="OUTP1 OFF",
    ),
}


class DialectLaser:
    """A laser that speaks a dialect. on: whether it emits, by its own knowledge."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.on, self.power_w = False, 0.01
        self.orders: list[str] = []

    def speak(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Answer what was received."""
        dialect = self._dialect
        *commands, rest = received.split(dialect.end)
        answers: list[bytes] = []
        for command in commands:
            lines = self._lines(command.decode("ascii", "replace").strip())
            text = b"".join(line.encode() + dialect.answer_end for line in lines)
            if dialect.prompt:
                text += dialect.prompt.encode()
            if text:
                answers.append(text)
        return answers, rest

    def _lines(self, command: str) -> list[str]:
        dialect = self._dialect
        lines = [command] if dialect.echo else []
        meaning = (dialect.queries or SCPI).get(command)
        if meaning is not None:
            lines.append(dialect.code + self._answer(meaning))
            return [*lines, *([dialect.after_answer] if dialect.after_answer else [])]
        self._obey(command)
        return [*lines, *([dialect.order_answer] if dialect.order_answer else [])]

    def _obey(self, command: str) -> None:
        self.orders.append(command)
        dialect = self._dialect
        if command in (dialect.on, dialect.off):
            self.on = command == dialect.on
        elif command.startswith(dialect.power):
            value = command.removeprefix(dialect.power).split()[0].strip(")")
            self.power_w = float(value) * (1.0 if dialect.unit else dialect.unit_w)

    def _answer(self, meaning: str) -> str:
        unit_w = self._dialect.unit_w

        def power(watts: float) -> str:
            return f"{watts / unit_w:.6f}{self._dialect.unit}"

        return {
            "identity": "Maker,L1,0001,1.0",
            "emission": self._dialect.states[self.on],
            "power": power(self.power_w),
            "least": power(0.0),
            "greatest": power(GREATEST_W),
            "error": '0,"No error"',
            "done": "1",
            "dark": "0",
            "false": "#f",
            "closed": "ON",
            "status": "00000000",
            "channel": f"CH1, PWR: 0.000 mW\r\nCH2, PWR: {1e3 * self.power_w:.3f} mW",
        }[meaning]


@contextmanager
def opened(dialect: Dialect, line: TcpLine, **more: object) -> Iterator[Laser]:
    """Open the laser of a line as a bench file would; it is closed again, whatever it says then."""
    driver = LASERS.find(dialect.driver)
    given = {"timeout_ms": 400, **dialect.options, **more}
    options = checked_options("laser.options", driver.Options, given)
    laser = driver.from_settings(LaserSettings(line.address, 850.0, options))
    try:
        yield laser
    finally:
        with suppress(DeviceError):
            laser.close()
