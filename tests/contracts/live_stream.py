"""A camera that is always live: motion JPEG on loopback, each picture as the scene is when it is sent."""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress

import numpy as np
from PIL import Image

from tests.contracts.peers import Peer

FRAMES_PER_S = 50.0


class LiveStream(Peer):
    """48 x 64 pixels of one grey level, 10 times the picture's number."""

    def __init__(self) -> None:
        self._number = 0
        super().__init__()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/live.mjpg"

    def __enter__(self) -> LiveStream:
        return self

    def show(self, number: int) -> None:
        self._number = number

    def serve(self, connection: socket.socket) -> None:
        connection.recv(4096)
        kind = "multipart/x-mixed-replace; boundary=picture"
        connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
        due_s = time.monotonic()
        with suppress(OSError):
            while True:
                due_s = max(due_s + 1.0 / FRAMES_PER_S, time.monotonic())
                time.sleep(max(due_s - time.monotonic(), 0.0))
                data = self._jpeg()
                head = (
                    f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                )
                connection.sendall(head.encode() + data + b"\r\n")

    def _jpeg(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(np.full((48, 64), 10 * self._number, np.uint8)).save(file, "JPEG")
        return file.getvalue()
