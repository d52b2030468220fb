"""One VISA instrument: text out, text in, errors as ours."""

from __future__ import annotations

from typing import Any

import pyvisa

from drivers.errors import DeviceDisconnectedError, DeviceNotFoundError, DeviceStateError


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
        except (OSError, ValueError, pyvisa.Error) as error:
            raise DeviceNotFoundError(f"VISA {address!r}: not found, or in use: {error}") from error
        return cls(resource, address)

    def query(self, command: str) -> str:
        """Answer to a command."""
        if self.closed:
            raise DeviceStateError(f"VISA {self._address!r}: is closed")
        try:
            return str(self._resource.query(command)).strip()
        except (OSError, pyvisa.Error) as error:
            raise DeviceDisconnectedError(f"VISA {self._address!r}: {command}: {error}") from error

    def write(self, command: str) -> None:
        """Send a command without an answer."""
        if self.closed:
            raise DeviceStateError(f"VISA {self._address!r}: is closed")
        try:
            self._resource.write(command)
        except (OSError, pyvisa.Error) as error:
            raise DeviceDisconnectedError(f"VISA {self._address!r}: {command}: {error}") from error

    def close(self) -> None:
        """Let go."""
        if not self.closed:
            self.closed = True
            self._resource.close()
