"""How a line of text to an instrument is set: its port, its line ends, and what comes besides answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from drivers.errors import DeviceValueError


@dataclass(frozen=True)
class LineSettings:
    r"""The settings of a line. What is empty or 0 is the port's own, or is detected when it is opened.

    baud_rate, data_bits, parity, stop_bits, flow_control: of a serial port. open_wait_ms: wait after
    opening, for boards that restart then. write_termination: what ends a command, as "\r".
    read_termination: what ends an answer. prompt: text before or after answers that is none. echo: the
    instrument repeats each command. order_answers: what it answers to a command that it has carried out, as
    ["OK"]. answer_ends: lines that follow each answer to a query, as ["[OK]"]. return_code: a number stands
    before each answer; 0 is success.
    """

    baud_rate: int = 0
    data_bits: Literal[0, 5, 6, 7, 8] = 0
    parity: Literal["", "none", "even", "odd", "mark", "space"] = ""
    stop_bits: Literal[0, 1, 2] = 0
    flow_control: Literal["", "none", "xon_xoff", "rts_cts", "dtr_dsr"] = ""
    open_wait_ms: float = 0.0
    write_termination: str = ""
    read_termination: str = ""
    prompt: str = ""
    echo: bool = False
    order_answers: tuple[str, ...] = ()
    answer_ends: tuple[str, ...] = ()
    return_code: bool = False

    def __post_init__(self) -> None:
        if self.baud_rate < 0 or self.open_wait_ms < 0.0:
            raise DeviceValueError("baud_rate, open_wait_ms: must not be below 0")
        for name, end in (
            ("write_termination", self.write_termination),
            ("read_termination", self.read_termination),
        ):
            if end not in ("", "\n", "\r", "\r\n", ">", ";"):
                raise DeviceValueError(
                    f'{name} = {end!r}: allowed are "\\n", "\\r", "\\r\\n", ";", ">", and "" to detect it'
                )

    def of_the_line(self) -> LineSettings:
        """Return these settings alone, without what a description of a device has besides."""
        values = asdict(self)
        return LineSettings(**{field.name: values[field.name] for field in fields(LineSettings)})

    def port_attributes(self) -> dict[str, object]:
        """Return what is set of a serial port, by pyvisa's names."""
        from pyvisa import constants

        found: dict[str, object] = {}
        if self.baud_rate:
            found["baud_rate"] = self.baud_rate
        if self.data_bits:
            found["data_bits"] = self.data_bits
        if self.parity:
            found["parity"] = constants.Parity[self.parity]
        if self.stop_bits:
            found["stop_bits"] = constants.StopBits["one" if self.stop_bits == 1 else "two"]
        if self.flow_control:
            found["flow_control"] = constants.ControlFlow[self.flow_control]
        return found


@dataclass(slots=True)
class LineHabits:
    """What comes on a line besides the answers: as it is set, and as it was detected at opening.

    Fields are those of `LineSettings`.
    """

    echo: bool
    order_answers: tuple[str, ...]
    answer_ends: tuple[str, ...]
    return_code: bool

    @classmethod
    def of(cls, settings: LineSettings) -> LineHabits:
        """Return what is set."""
        return cls(
            settings.echo, settings.order_answers, settings.answer_ends, settings.return_code
        )

    def learn_from_order(self, order: str, lines: list[str]) -> None:
        """Take in what an instrument sent after an order: a repetition, a confirmation, a return code."""
        if lines and lines[0] == order:
            self.echo = True
            lines = lines[1:]
        if len(lines) == 1 and not self.order_answers and is_confirmation(lines[0]):
            self.order_answers = (lines[0],)

    def learn_from_answer_ends(self, lines: list[str]) -> None:
        """Take in what followed an answer."""
        if lines and not self.answer_ends and all(map(is_confirmation, lines)):
            self.answer_ends = tuple(lines)

    @property
    def answers_orders(self) -> bool:
        """True if something comes back also for a command that is no query."""
        return self.echo or bool(self.order_answers)


def is_confirmation(line: str) -> bool:
    """Return whether a line is how instruments say that they have understood."""
    return line.upper().strip("[]. ") in ("OK", "ACK", "DONE") or line in ("0", "+0")
