"""Bytes to and from a VISA instrument: lines within a time-out as a whole, and what is left over."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from drivers.errors import DeviceDisconnectedError, DeviceNotFoundError
from drivers.line_settings import LineSettings
from drivers.maker_library import maker_module
from drivers.plain_text import plain_line

LONGEST_ANSWER = 65_536
"""Largest number of bytes of one answer; a longer one is garbage without an end."""
DRAIN_S = 1.0
"""Longest time for which old answers are discarded; an instrument that never stops is not waited for."""
QUIET_MS = 30
"""Time after an answer in which nothing more has to come for question and answer to be in step."""


class VisaTransport:
    """An open pyvisa resource.

    Attributes:
        write_end: what ends a command; may be changed.
        has_line_ends: True where a character ends an answer, as on sockets and serial ports; the others
            have an end of message of their own.
    """

    def __init__(self, resource: Any, where: str, settings: LineSettings) -> None:
        self._resource, self._where, self._settings = resource, where, settings
        self.write_end = settings.write_termination or "\n"
        # Where a character ends an answer it is read byte by byte: pyvisa's time-out begins anew with each.
        self._end: bytes = (resource.read_termination or "").encode()

    @classmethod
    def open(
        cls, address: str, timeout_ms: int, library: str, settings: LineSettings
    ) -> VisaTransport:
        """Open a resource.

        Args:
            address: VISA's name of the instrument.
            timeout_ms: longest time without an answer.
            library: of VISA.
            settings: of the line.

        Raises:
            DeviceNotFoundError: nothing is there, or another program has it.
        """
        where = f"VISA {address!r}"
        manager = _manager(library)
        try:
            resource: Any = manager.open_resource(address)
            resource.timeout = timeout_ms
            resource.write_termination = ""
            if address.upper().endswith("SOCKET") or address.upper().startswith("ASRL"):
                # They have no end of message of their own: lines end with a character.
                resource.read_termination = settings.read_termination or "\n"
            for name, value in settings.port_attributes().items():
                setattr(resource, name, value)
        except (
            Exception
        ) as error:  # pyvisa-py lets through whatever sockets and ports raise, bare too
            raise DeviceNotFoundError(
                f"{where}: not found, or in use by another program: {error}"
            ) from error
        if settings.open_wait_ms:
            time.sleep(settings.open_wait_ms / 1e3)
        return cls(resource, where, settings)

    @property
    def has_line_ends(self) -> bool:
        """True where a character ends an answer."""
        return bool(self._end)

    def write(self, command: str) -> None:
        """Send a command with its end. Raises whatever the line raises."""
        self._resource.write(command + self.write_end)

    def read(self) -> bytes:
        """Return one answer, within the time-out as a whole.

        Raises DeviceDisconnectedError if it has no end: garbage, or a byte now and then; and whatever the
        line raises.
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
                answer += self._byte(answer)
        finally:
            with suppress(Exception):
                self._resource.timeout = patience_ms
        return bytes(answer)

    def _byte(self, answer: bytearray) -> bytes:
        """Return the next byte; a carriage return after which nothing comes is the end of each answer."""
        try:
            found: bytes = self._resource.read_bytes(1)
        except Exception:
            if answer.endswith(b"\r") and not self._settings.read_termination:
                self._end = b"\r"
                return b""
            raise
        return found

    def drain(self, quiet_ms: float = QUIET_MS) -> bytes:
        """Return what has come and was not read, once nothing has come for a while."""
        patience_ms = self._resource.timeout
        ends_s = time.monotonic() + DRAIN_S
        found = bytearray()
        with suppress(Exception):
            self._resource.timeout = quiet_ms
            while time.monotonic() < ends_s:
                found += (
                    self._resource.read_bytes(1) if self._end else bytes(self._resource.read_raw())
                )
        with suppress(Exception):
            self._resource.timeout = patience_ms
        return bytes(found)

    def close(self) -> None:
        """Close the resource, also of an instrument that is lost."""
        with suppress(Exception):
            self._resource.close()


def _manager(library: str) -> Any:
    """Return pyvisa's manager of a VISA library.

    Raises DeviceNotFoundError if pyvisa or the library do not load, with what to do.
    """
    pyvisa = maker_module("pyvisa", "pip install labdiff anew")
    try:
        return pyvisa.ResourceManager(library)
    except Exception as error:  # OSError, ValueError, LibraryError of pyvisa's own
        raise DeviceNotFoundError(
            f"VISA library {library!r}: does not load: {plain_line(error, 300)}; install NI-VISA or "
            'Keysight IO Libraries, or leave the option library out: "@py" needs no maker\'s software'
        ) from error
