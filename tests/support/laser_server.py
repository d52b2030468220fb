"""A laser behind a TCP line that writes down every order, and may fall mute or talk without an end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Manner = Literal["polite", "mute", "endless", "echo", "drip"]
"""How a laser answers: as it should, not at all, without an end, with the question, a byte now and then."""
DRIP_S = 0.03
"""Time between two bytes of a laser that drips."""


class LaserServer:
    """An OBIS-like laser. orders: every line that it received. manner: how it answers, may be changed.

    one_at_a_time: it listens to one connection, and to the next one when that has ended. on_switch: called
    when the light goes on or off. lit: how often it went on. changed_s: when it last changed, monotonic.
    """

    def __init__(
        self, one_at_a_time: bool = False, on_switch: Callable[[bool], None] = lambda on: None
    ) -> None:
        self._one_at_a_time, self.on_switch = one_at_a_time, on_switch
        self.lit, self.changed_s = 0, 0.0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"TCPIP::127.0.0.1::{self._socket.getsockname()[1]}::SOCKET"
        self.manner: Manner = "polite"
        self.orders: list[str] = []
        self.on = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            if self._one_at_a_time:
                self._serve(line)
            else:
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as lines, suppress(OSError):
            for raw in lines:
                order = raw.decode("ascii").strip()
                self.orders.append(order)
                answer = self._answer(order)
                if self.manner in ("endless", "drip") and order.endswith("?"):
                    threading.Thread(target=self._babble, args=(line,), daemon=True).start()
                elif self.manner == "echo":
                    line.sendall(raw)
                elif answer and self.manner == "polite":
                    line.sendall(answer.encode() + b"\n")

    def _babble(self, line: socket.socket) -> None:
        with suppress(OSError):
            while self.manner == "endless":
                line.sendall(b"~" * 64)
            while self.manner == "drip":
                line.sendall(b"~")
                time.sleep(DRIP_S)

    def _answer(self, order: str) -> str:
        if order.startswith("SOUR:AM:STAT "):
            before, self.on = self.on, order.endswith("ON")
            if self.on != before:
                self.lit, self.changed_s = self.lit + self.on, time.monotonic()
                self.on_switch(self.on)
        return {
            "*IDN?": "Coherent, Inc-OBIS-TEST,1",
            "SYST:ERR:NEXT?": '0,"No error"',
            "SYST:LOCK?": "ON",
            "SYST:STAT?": "00000000",
            "SOUR:POW:LIM:LOW?": "0.0",
            "SOUR:POW:LIM:HIGH?": "0.1",
            "SOUR:POW:LEV:IMM:AMPL?": "0.01",
            "SOUR:AM:STAT?": "ON" if self.on else "OFF",
        }.get(order, "")


@contextmanager
def laser_server(one_at_a_time: bool = False) -> Iterator[LaserServer]:
    """Serve a laser on loopback."""
    server = LaserServer(one_at_a_time)
    try:
        yield server
    finally:
        server.manner = "mute"
        server.close()
