"""slmPy's TCP protocol, the server's side: the SLM of this computer for a program on another one.

So a Raspberry Pi with the SLM on its monitor output serves slmPy's clients, ours among them, without slmPy.
Nothing is encrypted and nobody is authenticated: it listens on loopback unless another address is given.
Each client is read by a thread of its own, so that a slow one keeps nobody waiting; the SLM belongs to the
one that displayed a picture first, until it leaves.
"""

from __future__ import annotations

import logging
import queue
import socket
import struct
import threading
import time
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
"""Time of one wait for a client, its bytes or a picture."""
PATIENCE_S = 10.0
"""Time in which a picture that has begun has to come whole, however its bytes are spread."""
MOST_CLIENTS = 8
"""Number of clients; for one more, the one that has waited longest without the SLM has to go."""

Show = Callable[[Grey], object]


class SlmPyServer:
    """Displays what clients send. shape (height, width): no other picture is taken.

    Raises DeviceNotFoundError if the port is taken.
    """

    def __init__(
        self, show: Show, shape: tuple[int, int], host: str = LOOPBACK, port: int = PORT
    ) -> None:
        self._show, self._shape = show, shape
        self._clients: list[_Client] = []
        self._owner: _Client | None = None
        self._complete: queue.Queue[_Client] = queue.Queue()
        try:
            self._listener = socket.create_server((host, port), backlog=MOST_CLIENTS)
        except (OSError, OverflowError) as error:
            raise DeviceNotFoundError(f"slmPy server on {host}:{port}: {error}") from error
        self._listener.settimeout(POLL_S)
        self.port: int = self._listener.getsockname()[1]

    def serve(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Serve clients until `should_stop` says yes. Raises what the SLM raises."""
        ended = threading.Event()
        accepting = threading.Thread(target=self._accept, args=(ended,), daemon=True)
        accepting.start()
        try:
            while not should_stop():
                with suppress(queue.Empty):
                    self._display(self._complete.get(timeout=POLL_S))
        finally:
            ended.set()
            accepting.join()
            for client in self._clients:
                client.close()

    def _display(self, client: _Client) -> None:
        """Display a client's picture and answer, unless another one has the SLM."""
        if self._owner is not None and self._owner not in self._living():
            self._owner = None
        if self._owner not in (None, client):
            log.warning("a picture of %s is not taken: %s has the SLM", client.name, self._owner)
            client.answer(ERROR)
            return
        if not client.alive:
            return
        self._owner = client
        try:
            self._show(client.grey)
        except DeviceError:
            client.answer(ERROR)
            client.wait_until_sent()  # before the server ends, and with it the connection
            raise
        client.answer(DONE)

    def _accept(self, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                connection, where = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                ended.wait(POLL_S)  # the client has left, or too many files are open
                continue
            name = f"{where[0]}:{where[1]}"
            log.info("slmPy client %s", name)
            waiting = [client for client in self._living() if client is not self._owner]
            if len(self._living()) >= MOST_CLIENTS and waiting:
                log.warning("%s has to go: too many clients wait", waiting[0].name)
                waiting[0].close()
            self._clients = [
                *self._living(),
                _Client(connection, name, self._shape, self._complete.put),
            ]

    def _living(self) -> list[_Client]:
        return [client for client in self._clients if client.alive]

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


class _Client:
    """A client, read by a thread. grey: its last picture, which waits for an answer.

    Args:
        connection: its socket.
        name: its address.
        shape: (height, width) of a picture.
        complete: called with this client when a picture is there.
    """

    def __init__(
        self,
        connection: socket.socket,
        name: str,
        shape: tuple[int, int],
        complete: Callable[[_Client], object],
    ) -> None:
        self._connection, self.name, self._shape, self._complete = (
            connection,
            name,
            shape,
            complete,
        )
        self._size = shape[0] * shape[1]
        # What zlib makes of noise is this much longer than the noise, at most.
        self._longest = self._size + self._size // 1000 + 1024
        self.grey = np.zeros(shape, np.uint8)
        self.alive = True
        self._answer: queue.Queue[bytes] = queue.Queue()
        self._sent = threading.Event()
        threading.Thread(target=self._read, name=f"slmPy client {name}", daemon=True).start()

    def __str__(self) -> str:
        return self.name

    def answer(self, reply: bytes) -> None:
        """Let the thread send the reply to the last picture."""
        self._answer.put(reply)

    def wait_until_sent(self) -> None:
        """Wait until the thread has sent the reply to the last picture, or cannot."""
        self._sent.wait(PATIENCE_S)

    def close(self) -> None:
        """Let go of the client; its thread ends."""
        self.alive = False
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._answer.put(ERROR)

    def _read(self) -> None:
        with self._connection, suppress(OSError):
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            while self.alive and (reply := self._picture()) is not None:
                self._connection.settimeout(PATIENCE_S)
                self._connection.sendall(reply)
                self._sent.set()
        self.alive = False
        self._sent.set()

    def _picture(self) -> bytes | None:
        """Take one picture and return the reply to it; None if the connection is of no use any more."""
        self._connection.settimeout(None)
        first = self._connection.recv(1)
        until_s = time.monotonic() + PATIENCE_S
        header = first + (self._receive(3, until_s) or b"") if first else b""
        if len(header) < 4:
            return None
        length = struct.unpack("=i", header)[0]
        if not 0 < length <= self._longest:
            # What follows cannot be separated from the next picture: the connection is useless.
            log.warning("a picture of %d compressed bytes is not taken", length)
            self._connection.sendall(ERROR)
            return None
        body = self._receive(length, until_s)
        if body is None:
            return None
        grey = self._inflated(body)
        if grey is None:
            return ERROR
        self.grey = grey
        self._sent.clear()
        self._complete(self)
        return self._answer.get()

    def _inflated(self, body: bytes) -> Grey | None:
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

    def _receive(self, count: int, until_s: float) -> bytes | None:
        """Return so many bytes; None if they are not there at a moment of the steady clock."""
        data = bytearray()
        while len(data) < count:
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                log.warning("%s sends too slowly, and has to go", self.name)
                return None
            self._connection.settimeout(left_s)
            part = self._connection.recv(count - len(data))
            if not part:
                return None
            data += part
        return bytes(data)
