"""One VISA instrument: text out, text in, errors as ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import pyvisa
from pyvisa.constants import StatusCode

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)

T = TypeVar("T")
LEAKS = (OSError, ValueError, pyvisa.Error)
"""What pyvisa and pyvisa-py raise; also ConnectionRefusedError, SerialException, UnicodeDecodeError."""


class VisaLink:
    """Wraps an open pyvisa resource. close() may be called twice."""

    def __init__(self, resource: Any, address: str) -> None:
        self._resource = resource
        self._address = address
        self.closed = False

    @classmethod
    def open(cls, address: str, timeout_ms: int = 2000) -> VisaLink:
        """Connect. Raises DeviceNotFoundError."""
        try:
            resource: Any = pyvisa.ResourceManager("@py").open_resource(address)
            resource.timeout = timeout_ms
            if address.upper().endswith("SOCKET"):
                # A plain socket has no end of message of its own: lines end with a line feed.
                resource.read_termination = resource.write_termination = "\n"
        except LEAKS as error:
            raise DeviceNotFoundError(f"VISA {address!r}: not found, or in use: {error}") from error
        return cls(resource, address)

    def query(self, command: str) -> str:
        """Answer to a command. Raises DeviceTimeoutError, DeviceDisconnectedError, DeviceStateError."""
        return self._do(command, lambda: str(self._resource.query(command)).strip())

    def number(self, command: str) -> float:
        """Answer to a command, as a number. Raises DeviceError too if it is none."""
        answer = self.query(command)
        try:
            return float(answer)
        except ValueError:
            raise DeviceError(
                f"VISA {self._address!r}: {command}: answers {answer!r}, which is no number"
            ) from None

    def write(self, command: str) -> None:
        """Send a command without an answer. Raises as `query` does."""
        self._do(command, lambda: self._resource.write(command))

    def _do(self, command: str, act: Callable[[], T]) -> T:
        if self.closed:
            raise DeviceStateError(f"VISA {self._address!r}: is closed")
        where = f"VISA {self._address!r}: {command}"
        try:
            return act()
        except pyvisa.VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                self._drain()
                raise DeviceTimeoutError(f"{where}: no answer in time") from error
            raise DeviceDisconnectedError(f"{where}: {error}") from error
        except LEAKS as error:
            raise DeviceDisconnectedError(f"{where}: {error}") from error

    def _drain(self) -> None:
        """Throw away what may still come: a late reply would be taken for the next query's."""
        patience_ms = self._resource.timeout
        with suppress(*LEAKS):
            while True:
                self._resource.read()
                self._resource.timeout = 50
        self._resource.timeout = patience_ms

    def close(self) -> None:
        """Let go."""
        if not self.closed:
            self.closed = True
            self._resource.close()
