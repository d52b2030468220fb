"""M Squared's TCP/JSON protocol, the client's side ("ICE-BLOC, 3rd party control").

A message is {"message": {"transmission_id": [n], "op": "...", "parameters": {...}}}; a reply has the same
number and the operation's name with "_reply", a report of something that took long "_f_r". There is no
mark between two messages: a JSON text ends where it is complete.
Source: M Squared's "SolsTiS 3rd party control: TCP JSON protocol"; solstis_tcpip (Rywais) follows it too.
"""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
)

PROTOCOL_ERRORS = {
    1: "no such message",
    2: "no such operation",
    3: "JSON that it cannot read",
    4: "no start of a message",
    5: "no transmission id",
    6: "a parameter is missing",
    7: "a parameter of the wrong form",
    8: "a value out of range",
}
MOST_BYTES = 1 << 20
"""Largest message that is read."""
START = re.compile(r'\{\s*"message"')
_NAMED = "it answers what is no message of this protocol"


class SolstisConnection:
    """One connection. Answers have numbers: a late one is not taken for the next one's.

    Raises DeviceNotFoundError if nothing speaks the protocol there, or it is not meant to serve us.
    """

    def __init__(self, host: str, port: int, timeout_s: float = 5.0) -> None:
        self._where, self._timeout_s = f"SolsTiS at {host}:{port}", timeout_s
        self._number, self._text = 0, ""
        try:
            self._socket: socket.socket | None = socket.create_connection((host, port), timeout_s)
        except (OSError, OverflowError) as error:
            raise DeviceNotFoundError(
                f"{self._where}: {error}; the port is set on the ICE-BLOC's page, under network settings"
            ) from error
        try:
            here = self._socket.getsockname()[0]
            started = self.ask("start_link", ip_address=here)
            if started.get("status") != "ok":
                raise DeviceNotFoundError(
                    f"{self._where}: refuses the link; set {here} as the remote interface on the "
                    "ICE-BLOC's page, under network settings"
                )
        except DeviceError as error:
            self.close()
            if isinstance(error, DeviceNotFoundError):
                raise
            raise DeviceNotFoundError(
                f"{self._where}: does not speak its protocol: {error}"
            ) from error

    def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the parameters of the reply to a command.

        Raises DeviceTimeoutError, DeviceDisconnectedError when the line has ended or is out of step, and
        from then on DeviceStateError; DeviceError for what the laser does not understand.
        """
        self._number += 1
        message: dict[str, Any] = {"transmission_id": [self._number], "op": operation}
        if parameters:
            message["parameters"] = parameters
        text = json.dumps({"message": message})
        if self._socket is None:
            raise DeviceStateError(f"{self._where}: is closed")
        try:
            self._socket.sendall(text.encode())
        except OSError as error:
            raise self._gone(str(error)) from error
        return self._reply(operation, f"{operation}_reply", self._timeout_s)

    def report(self, operation: str, timeout_s: float) -> dict[str, Any]:
        """Return the report of the operation that was started last, which comes when it has ended."""
        return self._reply(operation, f"{operation}_f_r", timeout_s)

    def _reply(self, asked: str, name: str, timeout_s: float) -> dict[str, Any]:
        until_s = time.monotonic() + timeout_s
        while True:
            message = self._message(asked, until_s)
            if message.get("transmission_id") != [self._number]:
                continue
            values = message.get("parameters", {})
            if not isinstance(values, dict):
                raise self._gone(_NAMED)
            if message.get("op") == "parse_fail":
                code = values.get("protocol_error", [0])
                code = code[0] if isinstance(code, list) and code else code
                raise DeviceError(
                    f"{self._where}: {asked}: it reports {PROTOCOL_ERRORS.get(code, f'error {code}')}"
                )
            if message.get("op") == name:
                return values

    def _message(self, asked: str, until_s: float) -> dict[str, Any]:
        """Return the next message, however it is cut into packets."""
        while True:
            self._text = self._text.lstrip()
            if self._text and self._text[0] != "{":
                raise self._gone(f"{_NAMED}: {self._text[:40]!r}")
            try:
                found, end = json.JSONDecoder().raw_decode(self._text)
                self._text = self._text[end:]
                message = found["message"]
                if not isinstance(message, dict):
                    raise TypeError(message)
                return message
            except json.JSONDecodeError:
                # One that another one follows was cut: its end does not come any more.
                following = START.search(self._text, 1)
                if following:
                    self._text = self._text[following.start() :]
                else:
                    self._receive(asked, until_s)
            except (KeyError, TypeError):
                raise self._gone(_NAMED) from None

    def _receive(self, asked: str, until_s: float) -> None:
        if self._socket is None:
            raise DeviceStateError(f"{self._where}: is closed")
        try:
            self._socket.settimeout(max(until_s - time.monotonic(), 1e-3))
            part = self._socket.recv(65_536)
            # A message is ASCII by the protocol; what is not would never become one.
            self._text += part.decode("ascii")
        except TimeoutError as error:
            raise DeviceTimeoutError(f"{self._where}: {asked}: no answer in time") from error
        except UnicodeDecodeError as error:
            raise self._gone(_NAMED) from error
        except OSError as error:
            raise self._gone(str(error)) from error
        if not part:
            raise self._gone("it closed the connection")
        if len(self._text) > MOST_BYTES:
            raise self._gone("it sends without end")

    def _gone(self, why: str) -> DeviceDisconnectedError:
        self.close()
        return DeviceDisconnectedError(f"{self._where}: {why}")

    @property
    def closed(self) -> bool:
        """True once it was closed, or the line has ended."""
        return self._socket is None

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
