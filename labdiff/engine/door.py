"""The door for scripts: a window's engine over a socket of this computer's loopback.

Off unless `labdiff gui --serve`. Who connects shows that it knows the token, and so does the door; the
token itself is never sent. Each connection is read in a thread of its own, and the safe state is reached
from there at once: it waits for no command, no frame and no other connection.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from drivers.plain_text import plain_line
from labdiff.engine.door_messages import (
    GREETING_LONGEST,
    PROTOCOL,
    Array,
    ClosedError,
    Fields,
    Message,
    is_proof,
    proof,
    receive_message,
    send_message,
)
from labdiff.engine.door_token import HOST, DoorAddress, new_token, write_token
from labdiff.errors import UserError

GREETING_WITHIN_S = 2.0
"""Time in which who connects has to show that it knows the token."""
MOST_STRANGERS, MOST_CLIENTS = 32, 8
"""Number of connections at a time before and after the token was shown."""
NONCE_BYTES = 16

Answer: TypeAlias = tuple[Fields, list[Array]]


class Door:
    """Listens for scripts until it is closed.

    Args:
        port: Port of the loopback; 0 for any that is free.
        answer: Called in a connection's thread with each message; returns what is answered, or raises
            UserError.
        make_safe: Called in a connection's thread when the safe state is asked for; returns at once.
        private: The token is written to no file.

    Raises:
        UserError: If nothing can listen there, or the token cannot be kept.
    """

    def __init__(
        self,
        port: int,
        answer: Callable[[Message], Answer],
        make_safe: Callable[[], None],
        private: bool = False,
    ) -> None:
        self._answer, self._make_safe = answer, make_safe
        self._strangers = threading.BoundedSemaphore(MOST_STRANGERS)
        self._clients = threading.BoundedSemaphore(MOST_CLIENTS)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        try:
            self._listening = socket.create_server((HOST, port), backlog=MOST_STRANGERS)
        except (OSError, OverflowError) as error:
            raise UserError(f"--serve: port {port} of this computer: {error}") from None
        self.address = DoorAddress(self._listening.getsockname()[1], new_token())
        self.token_file: Path | None = None
        try:
            self.token_file = None if private else write_token(self.address)
        except UserError:
            self._listening.close()
            raise
        threading.Thread(target=self._listen, name="door", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more, and close every connection."""
        self._shut(self._listening)
        with self._lock:
            open_now = list(self._connections)
        for connection in open_now:
            self._shut(connection)
        if self.token_file is not None:
            with contextlib.suppress(OSError):
                self.token_file.unlink(missing_ok=True)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            if not self._strangers.acquire(blocking=False):
                connection.close()
                continue
            with self._lock:
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection,), name="door client", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            try:
                known = self._greet(connection)
            finally:
                self._strangers.release()
            if known and self._clients.acquire(blocking=False):
                try:
                    self._converse(connection)
                finally:
                    self._clients.release()
        except (ClosedError, UserError, OSError):
            pass  # a stranger, or a script that is gone
        finally:
            with self._lock:
                self._connections.discard(connection)
            self._shut(connection)

    def _greet(self, connection: socket.socket) -> bool:
        """Return whether the other side knows the token; show it that this side does."""
        own = secrets.token_hex(NONCE_BYTES)
        connection.settimeout(GREETING_WITHIN_S)
        send_message(connection, {"labdiff": PROTOCOL, "nonce": own})
        asked = receive_message(connection, GREETING_LONGEST, 0, GREETING_WITHIN_S).fields
        nonces = own, str(asked.get("nonce", ""))
        if not is_proof(asked.get("proof"), proof(self.address.token, "client", nonces)):
            return False
        send_message(connection, {"proof": proof(self.address.token, "server", nonces)})
        return True

    def _converse(self, connection: socket.socket) -> None:
        while True:
            message = receive_message(connection)
            if message.fields.get("command") == "SafeState":
                self._make_safe()
            try:
                fields, arrays = self._answer(message)
            except UserError as error:
                fields, arrays = {"error": plain_line(error, 1000)}, []
            connection.settimeout(None)
            send_message(connection, fields, arrays)

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
