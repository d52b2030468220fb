"""One VISA instrument: text out, text in, errors as ours."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TypeVar

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)
from drivers.line_settings import LineHabits, LineSettings, is_confirmation
from drivers.visa_transport import VisaTransport

T = TypeVar("T")
LIBRARY = "@py"
"""VISA library pyvisa-py, which needs no maker's driver; "@ivi" is NI's or Keysight's, where installed."""
MOST_ERRORS = 20
"""Number of errors that are read from an instrument's queue."""
MOST_LINES = 100
"""Number of lines of one answer."""
FIRST_QUIET_MS = 150.0
"""Time without a byte after which the answer to the first order, if there is any, is complete."""
NUMBER = r"(?P<value>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-zµ%]*)"
"""A number and the unit behind it, if there is one."""


class VisaLink:
    """An open instrument. identity: its answer to *IDN? when it was opened. address: VISA's name of it.

    A reply that comes after a time-out would be taken for the next query's. So after a time-out all that
    comes is thrown away, and before the next command the instrument is asked for its identity until it
    says it: what comes before is older.

    Threads take turns, each with its question and the answer to it; `send` alone waits for nobody.
    """

    def __init__(
        self,
        transport: VisaTransport,
        address: str,
        identify: str = "*IDN?",
        settings: LineSettings | None = None,
    ) -> None:
        self._transport, self._where, self._identify = transport, f"VISA {address!r}", identify
        self.address = address
        self._settings = settings or LineSettings()
        self._habits = LineHabits.of(self._settings)
        self._in_step = True
        self._turn = threading.Lock()
        self.identity = address
        self.closed = False

    @classmethod
    def open(
        cls,
        address: str,
        timeout_ms: int = 2000,
        library: str = LIBRARY,
        identify: str = "*IDN?",
        first: str = "",
        settings: LineSettings | None = None,
    ) -> VisaLink:
        """Connect, and detect the habits of the line that its settings leave open.

        Raises DeviceNotFoundError also if nothing that answers `identify` is there.

        Args:
            address: VISA's name of the instrument.
            timeout_ms: longest time without an answer.
            library: "@py" for pyvisa-py, "@ivi" for an installed VISA.
            identify: query that the instrument has to answer; "" for none.
            first: command that is sent before anything is queried, such as a laser's OFF: it
                reaches also an instrument that receives and does not answer.
            settings: of the line.
        """
        given = settings or LineSettings()
        link = cls(
            VisaTransport.open(address, timeout_ms, library, given), address, identify, given
        )
        try:
            link._introduce(first)
        except DeviceError as error:
            link.close()
            raise DeviceNotFoundError(
                f"VISA {address!r}: opened, and does not answer as an instrument should: {error}"
            ) from error
        except BaseException:
            link.close()
            raise
        return link

    def _introduce(self, first: str) -> None:
        """Send the first order and ask for the identity, with each end of a command that is possible."""
        ends: tuple[str, ...] = (self._transport.write_end,)
        if self._transport.has_line_ends and not self._settings.write_termination and first:
            ends = ("\n", "\r", "\r\n", "\n")
        for number, end in enumerate(ends, 1):
            self._transport.write_end = end
            try:
                if number > 1:  # ends what the instrument still holds for an unfinished command
                    self._guarded(first, lambda: self._transport.write(""))
                    self._transport.drain(FIRST_QUIET_MS)
                if first:
                    self._guarded(first, lambda: self._transport.write(first))
                    sent = self._transport.drain(FIRST_QUIET_MS)
                    self._habits.learn_from_order(first, self._lines(sent))
                if self._identify:
                    self.identity = self._asked_identity()
                return
            except DeviceTimeoutError:
                if number == len(ends):
                    raise

    def _asked_identity(self) -> str:
        habits = self._habits

        def ask() -> bytes:
            self._transport.write(self._identify)
            return self._line()

        answer = self._text(self._identify, self._guarded(self._identify, ask))
        for _ in range(MOST_ERRORS):
            if answer == self._identify:
                habits.echo = True
            elif is_confirmation(answer):  # of the order before, which came late
                habits.order_answers = habits.order_answers or (answer,)
            else:
                break
            answer = self._text(self._identify, self._guarded(self._identify, self._line))
        habits.learn_from_answer_ends(self._lines(self._transport.drain()))
        if answer.startswith("0 ") and habits.order_answers == ("0",):
            habits.return_code = True
        return self._without_code(self._identify, answer)

    def send(self, command: str) -> None:
        """Send a command at once: nothing is asked before or after, whatever state the line is in.

        May be called from another thread than the one that waits for an answer.
        Raises DeviceDisconnectedError, DeviceStateError.
        """
        if self.closed:
            raise DeviceStateError(f"{self._where}: is closed")
        try:
            self._transport.write(command)
        except Exception as error:  # whatever sockets and ports raise, bare too
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error
        finally:
            if self._habits.answers_orders:
                self._in_step = False  # what it answers has not been read

    def query(self, command: str) -> str:
        """Answer to a command. Raises DeviceTimeoutError, DeviceDisconnectedError, DeviceStateError."""

        def ask() -> bytes:
            self._transport.write(command)
            self._expect_echo(command)
            return self._whole_answer(command)

        answer = self._text(command, self._do(command, ask))
        if answer == command:
            self._in_step = False
            raise DeviceError(
                f"{self._where}: {command}: the answer is the command itself; set echo = true in its "
                "options if this line repeats what it receives"
            )
        return self._without_code(command, answer)

    def _whole_answer(self, command: str) -> bytes:
        """Return a line; all lines up to those that end an answer, where the instrument sends such."""
        ends = self._habits.answer_ends
        if not ends:
            return self._line()
        lines: list[bytes] = []
        while (line := self._line()) != ends[0].encode():
            lines.append(line)
            if len(lines) > MOST_LINES:
                raise DeviceError(
                    f"{self._where}: {command}: answers {MOST_LINES} lines and no {ends[0]!r}"
                )
        for end in ends[1:]:
            self._expect(command, (end,))
        return b"\n".join(lines)

    def number(self, command: str) -> float:
        """Answer to a command, as a number. Raises DeviceError too if it is none."""
        value, unit = self.quantity(command)
        if unit:
            self._in_step = False
            raise DeviceError(
                f"{self._where}: {command}: answers with a unit, {unit!r}, which is no number"
            )
        return value

    def quantity(self, command: str, pattern: str = NUMBER) -> tuple[float, str]:
        """Answer to a command, as a number and its unit, "" if it has none.

        Args:
            command: the query.
            pattern: regular expression of the whole answer, with a group "value" and perhaps one "unit".

        Raises:
            DeviceError: if the answer is another one, NaN and infinity among them.
        """
        answer = self.query(command)
        found = re.fullmatch(pattern, answer.strip())
        try:
            groups = found.groupdict() if found else {}
            return float(groups["value"]), groups.get("unit") or ""
        except (KeyError, TypeError, ValueError):
            self._in_step = False
            raise DeviceError(
                f"{self._where}: {command}: answers {answer!r}, which is no number"
            ) from None

    def write(self, command: str) -> None:
        """Send a command; what the line answers to commands is read and has to be a confirmation.

        Raises as `query` does, and DeviceError if it is none.
        """

        def order() -> None:
            self._transport.write(command)
            self._expect_echo(command)
            if self._habits.order_answers:
                self._expect(command, self._habits.order_answers)

        self._do(command, order)

    def check(self, ask_error: str, after: str) -> None:
        """Read the error queue until it is empty. Raises DeviceError with what was in it."""
        found = self.emptied(ask_error)
        if found:
            raise DeviceError(f"{self._where}: {after}: it reports {'; '.join(found)}")

    def emptied(self, ask_error: str) -> list[str]:
        """Read the error queue until it is empty, and return what was in it."""
        found = []
        for _ in range(MOST_ERRORS):
            answer = self.query(ask_error)
            code = answer.partition(",")[0].strip()
            if code.lstrip("+-").strip("0") == "":
                break
            found.append(answer)
        return found

    def _expect_echo(self, command: str) -> None:
        if self._habits.echo:
            self._expect(command, (command,))

    def _expect(self, command: str, allowed: tuple[str, ...]) -> None:
        """Read a line that has to be one of these. Raises DeviceError."""
        line = self._text(command, self._line())
        if line not in allowed:
            raise DeviceError(
                f"{self._where}: {command}: answers {line!r} where {' or '.join(map(repr, allowed))} "
                "is expected"
            )

    def _line(self) -> bytes:
        """Return the next line that is not empty, without the prompt."""
        prompt = self._settings.prompt.encode()
        for _ in range(MOST_ERRORS):
            line = self._transport.read().strip()
            while prompt and line.startswith(prompt.strip()):
                line = line.removeprefix(prompt.strip()).strip()
            if line or not self._transport.has_line_ends:
                return line
        return b""

    def _lines(self, received: bytes) -> list[str]:
        """Return what came, as lines without the prompt and without empty ones."""
        text = received.decode("ascii", "replace").replace("\r", "\n")
        prompt = self._settings.prompt.strip()
        lines = (line.strip().removeprefix(prompt).strip() for line in text.split("\n"))
        return [line for line in lines if line]

    def _without_code(self, command: str, answer: str) -> str:
        """Return an answer without the code before it. Raises DeviceError if the code is no success."""
        if not self._habits.return_code:
            return answer
        code, _, rest = answer.partition(" ")
        if code.lstrip("+-").strip("0"):
            raise DeviceError(f"{self._where}: {command}: it reports {answer!r}")
        return rest.strip()

    def _do(self, command: str, act: Callable[[], T]) -> T:
        if self.closed:
            raise DeviceStateError(f"{self._where}: is closed")
        with self._turn:
            if not self._in_step:
                self._fall_in_step()
            return self._guarded(command, act)

    def _guarded(self, command: str, act: Callable[[], T]) -> T:
        from pyvisa import VisaIOError
        from pyvisa.constants import StatusCode

        try:
            return act()
        except DeviceError:
            self._in_step = False
            raise
        except VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                self._in_step = False
                self._transport.drain()
                raise DeviceTimeoutError(
                    f"{self._where}: {command}: no answer in time; is it switched on, the command its own, "
                    "the line set as it needs?"
                ) from error
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error
        except Exception as error:  # ConnectionResetError, SerialException, ValueError, bare ones
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error

    def _text(self, command: str, answer: bytes) -> str:
        try:
            return answer.decode("ascii").strip()
        except UnicodeDecodeError:
            self._in_step = False
            self._transport.drain()
            raise DeviceDisconnectedError(
                f"{self._where}: {command}: answers {answer[:20]!r}, which is no text; "
                "check baud rate, cable and shielding"
            ) from None

    def _fall_in_step(self) -> None:
        """Discard what is older than the answer to a question whose answer is known."""
        if self._identify:
            self._guarded(self._identify, lambda: self._transport.write(self._identify))
            for _ in range(MOST_ERRORS):
                line = self._guarded(self._identify, self._line)
                if line.strip().endswith(self.identity.encode()):
                    break
            else:
                raise DeviceDisconnectedError(
                    f"{self._where}: {self._identify}: does not answer {self.identity!r} any more"
                )
        self._transport.drain()
        self._in_step = True

    def close(self) -> None:
        """Let go of the instrument, also of one that is lost."""
        if not self.closed:
            self.closed = True
            self._transport.close()
