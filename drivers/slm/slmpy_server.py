"""slmPy's TCP protocol, the server's side: the SLM of this computer for a program on another one.

So a Raspberry Pi with the SLM on its monitor output serves slmPy's clients, ours among them, without slmPy.
Nothing is encrypted and nobody is authenticated: it listens on loopback unless another address is given.
"""

from __future__ import annotations

import logging
import socket
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from drivers.errors import DeviceError, DeviceNotFoundError
from drivers.slm.panel import Grey
from drivers.slm.slmpy_tcp import DONE, ERROR, PORT

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
POLL_S = 0.2
"""Time of one wait for a client or its bytes."""
"""How often it is looked whether to stop."""
PATIENCE_S = 10.0
"""Time in which a picture that has begun has to come."""

Show = Callable[[Grey], object]


class SlmPyServer:
    """Shows what one client after the other sends. shape (height, width): no other picture is taken.

    Raises DeviceNotFoundError if the port is taken.
    """

    def __init__(
        self, show: Show, shape: tuple[int, int], host: str = LOOPBACK, port: int = PORT
    ) -> None:
        self._show, self._shape = show, shape
        self._size = shape[0] * shape[1]
        # What zlib makes of noise is this much longer than the noise, at most.
        self._longest = self._size + self._size // 1000 + 1024
        try:
            self._listener = socket.create_server((host, port), backlog=1)
        except (OSError, OverflowError) as error:
            raise DeviceNotFoundError(f"slmPy server on {host}:{port}: {error}") from error
        self._listener.settimeout(POLL_S)
        self.port: int = self._listener.getsockname()[1]

    def serve(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Serve clients until `should_stop` says yes. Raises what the SLM raises."""
        while not should_stop():
            try:
                connection, where = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                log.info("slmPy client %s:%s", *where[:2])
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with suppress(OSError):
                    self._serve(connection, should_stop)

    def _serve(self, connection: socket.socket, should_stop: Callable[[], bool]) -> None:
        while True:
            header = self._receive(connection, 4, should_stop)
            if header is None:
                return
            length = struct.unpack("=i", header)[0]
            if not 0 < length <= self._longest:
                # What follows cannot be separated from the next picture: the connection is useless.
                log.warning("a picture of %d compressed bytes is not taken", length)
                connection.sendall(ERROR)
                return
            body = self._receive(connection, length, should_stop)
            if body is None:
                return
            grey = self._picture(body)
            if grey is None:
                connection.sendall(ERROR)
                continue
            try:
                self._show(grey)
            except DeviceError:
                with suppress(OSError):
                    connection.sendall(ERROR)
                raise
            connection.sendall(DONE)

    def _picture(self, body: bytes) -> Grey | None:
        """Decompress a picture, never to more bytes than the panel has pixels."""
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(body, self._size + 1)
        except zlib.error:
            return None
        if len(data) != self._size:
            log.warning("a picture of another size than %d x %d is not taken", *self._shape)
            return None
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def _receive(
        self, connection: socket.socket, count: int, should_stop: Callable[[], bool]
    ) -> bytes | None:
        """Return so many bytes; None if the client has left or hangs in mid-picture, or serving stops."""
        data = bytearray()
        polls = 0
        connection.settimeout(POLL_S)
        while len(data) < count:
            try:
                part = connection.recv(count - len(data))
            except TimeoutError:
                polls += 1
                in_a_picture = bool(data) or count != 4
                if should_stop() or (in_a_picture and polls * POLL_S > PATIENCE_S):
                    return None
                continue
            if not part:
                return None
            data += part
        return bytes(data)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
