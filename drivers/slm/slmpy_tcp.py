"""slmPy's TCP protocol, the client's side: pictures to a computer that runs slmPy's server.

A picture is the length of what follows as a native 32-bit integer, then zlib-compressed grey levels,
one byte a pixel, row by row. The server answers `done` when it has updated its window, or `err`.
Source: the class Client in slmPy's slmpy.py.
"""

from __future__ import annotations

import socket
import struct
import zlib

import numpy as np
import numpy.typing as npt

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)

DONE, ERROR = b"done", b"err"
"""Replies of slmPy's server."""
PORT = 9999
"""TCP port of slmPy's server."""


class SlmPyConnection:
    """One connection. After a time-out it is closed: a late reply would be taken for the next one's.

    Raises DeviceNotFoundError if nothing listens there.
    """

    def __init__(self, host: str, port: int, timeout_s: float = 10.0) -> None:
        self._where = f"slmPy at {host}:{port}"
        try:
            self._socket: socket.socket | None = socket.create_connection((host, port), timeout_s)
        except (OSError, OverflowError) as error:
            raise DeviceNotFoundError(
                f"{self._where}: {error}; is slmPy's server running there (listen_port)?"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def show(self, grey: npt.NDArray[np.uint8]) -> None:
        """Send grey levels (height, width) and wait for the server's reply.

        Raises DeviceTimeoutError, DeviceDisconnectedError, DeviceStateError after either, and
        DeviceValueError if the server refuses the picture.
        """
        if self._socket is None:
            raise DeviceStateError(f"{self._where}: is closed")
        body = zlib.compress(np.ascontiguousarray(grey).tobytes(), level=1)
        try:
            self._socket.sendall(struct.pack("=i", len(body)) + body)
            reply = self._reply(self._socket)
        except TimeoutError as error:
            self.close()
            raise DeviceTimeoutError(
                f"{self._where}: no answer; the connection is closed"
            ) from error
        except OSError as error:
            self.close()
            raise DeviceDisconnectedError(f"{self._where}: {error}") from error
        if reply == ERROR:
            raise DeviceValueError(
                f"{self._where}: refused a picture of {grey.shape[0]} x {grey.shape[1]} pixels; "
                "does slm.shape match its monitor?"
            )

    def _reply(self, connection: socket.socket) -> bytes:
        """Return `done` or `err`, however it is cut into packets."""
        reply = b""
        while reply not in (DONE, ERROR):
            part = connection.recv(len(DONE) - len(reply))
            if not part:
                raise ConnectionResetError("the server closed the connection")
            reply += part
            if not any(known.startswith(reply) for known in (DONE, ERROR)):
                raise ConnectionAbortedError(f"it answers {reply!r}, which slmPy does not")
        return reply

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
