"""One VISA instrument: text out, text in, errors as ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)

T = TypeVar("T")
LIBRARY = "@py"
"""VISA library pyvisa-py, which needs no maker's driver; "@ivi" is NI's or Keysight's, where installed."""
QUIET_MS = 30
"""Time after an answer in which nothing more has to come for question and answer to be in step."""
LONGEST_ANSWER = 65_536
"""Largest number of bytes of one answer; a longer one is garbage without an end."""
DRAIN_S = 1.0
"""Longest time for which old answers are discarded; an instrument that never stops is not waited for."""
MOST_ERRORS = 20
"""Number of errors that are read from an instrument's queue."""


class VisaLink:
    """An open instrument. identity: its answer to *IDN? when it was opened. address: VISA's name of it.

    A reply that comes after a time-out would be taken for the next query's. So after a time-out all that
    comes is thrown away, and before the next command the instrument is asked for its identity until it
    says it: what comes before is older.
    """

    def __init__(self, resource: Any, address: str, identify: str = "*IDN?") -> None:
        self._resource, self._where = resource, f"VISA {address!r}"
        self.address = address
        # Where a character ends an answer it is read byte by byte: pyvisa's time-out begins anew with each.
        self._end: bytes = (resource.read_termination or "").encode()
        self._identify = identify
        self._in_step = True
        self.closed = False
        try:
            self.identity = self.query(identify) if identify else address
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls,
        address: str,
        timeout_ms: int = 2000,
        library: str = LIBRARY,
        identify: str = "*IDN?",
        first: str = "",
        **settings: Any,
    ) -> VisaLink:
        """Connect.

        Raises DeviceNotFoundError also if nothing that answers `identify` is there.

        Args:
            address: VISA's name of the instrument.
            timeout_ms: longest time without an answer.
            library: "@py" for pyvisa-py, "@ivi" for an installed VISA.
            identify: query that the instrument has to answer; "" for none.
            first: command that is sent before anything is queried, such as a laser's OFF: it
                reaches also an instrument that receives and does not answer.
            **settings: attributes of pyvisa's resource, such as baud_rate.
        """
        where = f"VISA {address!r}"
        try:
            import pyvisa

            resource: Any = pyvisa.ResourceManager(library).open_resource(address)
            resource.timeout = timeout_ms
            resource.write_termination = "\n"
            if address.upper().endswith("SOCKET") or address.upper().startswith("ASRL"):
                # They have no end of message of their own: lines end with a line feed.
                resource.read_termination = "\n"
            for name, value in settings.items():
                setattr(resource, name, value)
        except (
            Exception
        ) as error:  # pyvisa-py lets through whatever sockets and ports raise, bare too
            raise DeviceNotFoundError(f"{where}: not found, or in use: {error}") from error
        try:
            if first:
                cls._send_first(resource, first)
            return cls(resource, address, identify)
        except DeviceError as error:
            raise DeviceNotFoundError(
                f"{where}: opened, and does not answer as an instrument should: {error}"
            ) from error

    @classmethod
    def _send_first(cls, resource: Any, first: str) -> None:
        """Send an order to an instrument that was just opened, and discard what it answers."""
        with suppress(Exception):  # what is wrong with the line shows when the identity is asked
            resource.write(first)
        link = cls.__new__(cls)
        link._resource, link._end = resource, (resource.read_termination or "").encode()
        link._drain()

    def send(self, command: str) -> None:
        """Send a command at once: nothing is asked before or after, whatever state the line is in.

        May be called from another thread than the one that waits for an answer.
        Raises DeviceDisconnectedError, DeviceStateError.
        """
        if self.closed:
            raise DeviceStateError(f"{self._where}: is closed")
        try:
            self._resource.write(command)
        except Exception as error:  # whatever sockets and ports raise, bare too
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error

    def query(self, command: str) -> str:
        """Answer to a command. Raises DeviceTimeoutError, DeviceDisconnectedError, DeviceStateError."""

        def ask() -> bytes:
            self._resource.write(command)
            return self._read_answer()

        return self._text(command, self._do(command, ask))

    def _read_answer(self) -> bytes:
        """Return one answer, within the time-out as a whole.

        Raises DeviceDisconnectedError if it has no end: garbage, or a byte now and then.
        """
        patience_ms = self._resource.timeout
        if not self._end or patience_ms is None:
            whole: bytes = self._resource.read_raw()
            return whole
        ends_s = time.monotonic() + patience_ms / 1e3
        answer = bytearray()
        try:
            while not answer.endswith(self._end):
                left_ms = (ends_s - time.monotonic()) * 1e3
                if len(answer) >= LONGEST_ANSWER or (answer and left_ms <= 0.0):
                    raise DeviceDisconnectedError(
                        f"{self._where}: an answer without an end, {bytes(answer[:20])!r} ...; "
                        "check baud rate, cable and what else talks on this line"
                    )
                self._resource.timeout = max(left_ms, 1.0)
                answer += self._resource.read_bytes(1)
        finally:
            with suppress(Exception):
                self._resource.timeout = patience_ms
        return bytes(answer)

    def number(self, command: str) -> float:
        """Answer to a command, as a number. Raises DeviceError too if it is none."""
        answer = self.query(command)
        try:
            return float(answer)
        except ValueError:
            self._in_step = False
            raise DeviceError(
                f"{self._where}: {command}: answers {answer!r}, which is no number"
            ) from None

    def write(self, command: str) -> None:
        """Send a command without an answer. Raises as `query` does."""
        self._do(command, lambda: self._resource.write(command))

    def check(self, ask_error: str, after: str) -> None:
        """Read the error queue until it is empty. Raises DeviceError with what was in it."""
        found = []
        for _ in range(MOST_ERRORS):
            answer = self.query(ask_error)
            code = answer.partition(",")[0].strip()
            if code.lstrip("+-").strip("0") == "":
                break
            found.append(answer)
        if found:
            raise DeviceError(f"{self._where}: {after}: it reports {'; '.join(found)}")

    def _do(self, command: str, act: Callable[[], T]) -> T:
        if self.closed:
            raise DeviceStateError(f"{self._where}: is closed")
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
                self._drain()
                raise DeviceTimeoutError(f"{self._where}: {command}: no answer in time") from error
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error
        except Exception as error:  # ConnectionResetError, SerialException, ValueError, bare ones
            raise DeviceDisconnectedError(f"{self._where}: {command}: {error}") from error

    def _text(self, command: str, answer: bytes) -> str:
        try:
            return answer.decode("ascii").strip()
        except UnicodeDecodeError:
            self._in_step = False
            self._drain()
            raise DeviceDisconnectedError(
                f"{self._where}: {command}: answers {answer[:20]!r}, which is no text; "
                "check baud rate, cable and shielding"
            ) from None

    def _fall_in_step(self) -> None:
        """Discard what is older than the answer to a question whose answer is known."""
        if self._identify:
            self._guarded(self._identify, lambda: self._resource.write(self._identify))
            for _ in range(MOST_ERRORS):
                line = self._guarded(self._identify, self._read_answer)
                if line.strip().endswith(self.identity.encode()):
                    break
            else:
                raise DeviceDisconnectedError(
                    f"{self._where}: {self._identify}: does not answer {self.identity!r} any more"
                )
        self._drain()
        self._in_step = True

    def _drain(self) -> None:
        """Discard what has come."""
        patience_ms = self._resource.timeout
        ends_s = time.monotonic() + DRAIN_S
        with suppress(Exception):
            self._resource.timeout = QUIET_MS
            while time.monotonic() < ends_s:
                if self._end:
                    self._resource.read_bytes(1)
                else:
                    self._resource.read_raw()
        with suppress(Exception):
            self._resource.timeout = patience_ms

    def close(self) -> None:
        """Let go of the instrument, also of one that is lost."""
        if not self.closed:
            self.closed = True
            with suppress(Exception):
                self._resource.close()
