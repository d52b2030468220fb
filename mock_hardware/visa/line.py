"""Lines of instruments: a TCP port of loopback or a pseudo-terminal, and what can go wrong on them."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from mock_hardware.visa.instruments import Instrument
from mock_hardware.visa.solstis import SolstisProtocol

Trouble = Callable[[bytes], list[bytes]]
"""Changes an answer's bytes: the parts that are sent, each by itself."""


def as_it_is(answer: bytes) -> list[bytes]:
    """Return an answer undisturbed."""
    return [answer]


class Speaker(Protocol):
    """Turns the bytes received so far into answers and an incomplete rest."""

    def __call__(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Return (answers, rest)."""
        ...


def lines_of(instrument: Instrument) -> Speaker:
    """Return what splits bytes into lines that end with a line feed and answers them."""

    def speak(received: bytes) -> tuple[list[bytes], bytes]:
        *lines, rest = received.split(b"\n")
        answers = [instrument.answer(line.decode("ascii", "replace")) for line in lines]
        return [answer.encode() + b"\n" for answer in answers if answer is not None], rest

    return speak


def messages_of(laser: SolstisProtocol) -> Speaker:
    """Return what splits bytes into JSON texts, each ending where its braces do, and answers them."""

    def speak(received: bytes) -> tuple[list[bytes], bytes]:
        answers: list[bytes] = []
        depth = start = 0
        for place, byte in enumerate(received):
            depth += {ord("{"): 1, ord("}"): -1}.get(byte, 0)
            if byte == ord("}") and depth == 0:
                text = received[start : place + 1].decode("ascii", "replace")
                answers += [answer.encode() for answer in laser.answers(text)]
                start = place + 1
        return answers, received[start:]

    return speak


class TcpLine:
    """A free port of loopback that serves one connection at a time."""

    def __init__(self, speak: Speaker) -> None:
        self._speak = speak
        self.trouble: Trouble = as_it_is
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Address for VISA."""
        return f"TCPIP::127.0.0.1::{self.port}::SOCKET"

    def _run(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection, suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                rest = b""
                while part := self._connection.recv(4096):
                    answers, rest = self._speak(rest + part)
                    for answer in answers:
                        for piece in self.trouble(answer):
                            self._connection.sendall(piece)

    def hang_up(self) -> None:
        """Close the connection, as a pulled cable does."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> TcpLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()
        # shutdown wakes a thread that waits in accept; close alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5.0)


class PtyLine:
    """A simulated serial port: a pseudo-terminal. Raises OSError on Windows, which has none."""

    def __init__(self, speak: Speaker) -> None:
        self._speak = speak
        self.trouble: Trouble = as_it_is
        self._ours, self._theirs, name = _pseudo_terminal()
        self.address = f"ASRL{name}::INSTR"
        """Address for VISA."""
        self._wake, self._end = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        rest = b""
        while True:
            ready, _, _ = select.select([self._ours, self._wake], [], [])
            if self._wake in ready:
                return
            answers, rest = self._speak(rest + os.read(self._ours, 4096))
            for answer in answers:
                for piece in self.trouble(answer):
                    os.write(self._ours, piece)

    def __enter__(self) -> PtyLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._end, b".")
        self._thread.join(5.0)
        for end in (self._ours, self._theirs, self._wake, self._end):
            os.close(end)


def _pseudo_terminal() -> tuple[int, int, str]:
    """Return the ends of a pseudo-terminal that changes no byte, and its name; OSError on Windows."""
    if sys.platform == "win32":
        raise OSError("Windows has no pseudo-terminals")
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    return ours, theirs, os.ttyname(theirs)
