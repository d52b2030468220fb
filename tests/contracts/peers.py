"""Servers on loopback that speak what a device speaks; the drivers meet them over real sockets."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

import numpy as np
import numpy.typing as npt

from drivers.slm import slmpy_server
from tests.contracts.visa_rooms import GEOMETRY


class Peer(ABC):
    """Listens on a free port of loopback and serves one connection at a time until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @abstractmethod
    def serve(self, connection: socket.socket) -> None:
        """Answer one connection until it ends."""

    def _run(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection:
                try:
                    self.serve(self._connection)
                except OSError:
                    continue

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # shutdown wakes a thread that waits in accept or recv; close alone does not.
        for end in (self._connection, self._listener):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._thread.join(5.0)


class SlmPyServer(Peer):
    """slmPy's server with check_image_size on; `pictures` are what its window showed."""

    def __init__(self, shape: tuple[int, int], silent: bool = False, broken: bool = False) -> None:
        self.shape, self._silent, self._broken = shape, silent, broken
        self.pictures: list[npt.NDArray[np.uint8]] = []
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while len(header := stream.read(4)) == 4:
                data = zlib.decompress(stream.read(struct.unpack("=i", header)[0]))
                if self._silent:
                    continue
                if self._broken:
                    return
                if len(data) != self.shape[0] * self.shape[1]:
                    connection.sendall(b"err")
                    continue
                self.pictures.append(np.frombuffer(data, np.uint8).reshape(self.shape))
                # In two packets, as a network may cut it.
                connection.sendall(b"do")
                connection.sendall(b"ne")


@contextmanager
def served(show: slmpy_server.Show, shape: tuple[int, int] = GEOMETRY.panel_shape) -> Iterator[int]:
    """Our server on a thread; its port."""
    server = slmpy_server.SlmPyServer(show, shape, port=0)
    stop = threading.Event()
    thread = threading.Thread(target=server.serve, args=(stop.is_set,), daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        stop.set()
        thread.join(10.0)
        server.close()
