"""The control channel of an SLM window: one owner at a time; visitors may ask, and act when none owns it.

Messages are JSON objects, each answered by one: {"do": "show", "number": 7}. Nothing is ever unpickled.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Listener
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from drivers.plain_text import plain_line
from drivers.slm.qt.pattern_window import PatternWindow
from drivers.slm.window_files import socket_address

Message = dict[str, Any]
LEFT = "left by"
"""How the state of a pattern begins whose owner has ended without closing it."""
GRACE_S = 5.0
"""Time for which the pattern stays when its owner has ended, for a new one to take it over; then flat."""
MESSAGE_BYTES = 4096
"""Length of the longest message."""
MOST_CLIENTS = 32
"""Number of programs that may be connected; one more is not let in."""
HELLO_S = 5.0
"""Seconds in which a program that connects must identify itself."""


class Service(QObject):
    """Listens in threads, acts in the window's own.

    pixels: (height, width, 3) memory that the owner writes before it sends "show colours"; before it sends
    "show", the levels stand in its first height x width bytes.
    """

    arrived = Signal(object, object)
    over = Signal()

    def __init__(
        self, window: PatternWindow, pixels: npt.NDArray[np.uint8], ticket: str, key: str
    ) -> None:
        super().__init__()
        self._window, self._colours, self._key = window, pixels, key
        self._pixels = pixels.reshape(-1)[: pixels.size // 3].reshape(pixels.shape[:2])
        self._owner: Connection | None = None
        self._owner_name = ""
        self._stands = "flat"
        self._ended = ""
        self._acts: dict[str, Callable[[Connection], Message]] = {
            "status": self._status,
            "own": self._own,
            "show": lambda connection: self._show(connection, self._pixels),
            "show colours": lambda connection: self._show(connection, self._colours),
            "flat": self._flat,
            "release": self._release,
            "quit": self._quit,
        }
        self.arrived.connect(self._act)
        self._places = threading.Semaphore(MOST_CLIENTS)
        self._listener = Listener(socket_address(ticket), backlog=8)
        threading.Thread(target=self._accept, daemon=True).start()

    def fail(self, reason: str) -> None:
        """Report to the owner that the monitor can no longer carry the pattern, and end."""
        self._ended = reason
        self._window.hide()
        QGuiApplication.sync()  # it has left the screen before anybody is told
        if self._owner is not None:
            _answer(self._owner, {"error": reason, "kind": "gone"})
        self.over.emit()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                continue  # the client has left
            if not self._places.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: Connection) -> None:
        """Pass the messages of one connection to the window's thread; None when it ends."""
        who = ""
        # What is no JSON object, is nested too deeply or too long ends the connection that it came on.
        with suppress(EOFError, OSError, ValueError, AttributeError, TypeError, RecursionError):
            if connection.poll(HELLO_S):
                hello = json.loads(connection.recv_bytes(MESSAGE_BYTES))
                if hmac.compare_digest(str(hello.get("key")).encode(), self._key.encode()):
                    program = plain_line(hello.get("program"), 80)
                    who = f"{program}, process {plain_line(hello.get('pid'), 20)}"
            while who:
                message = json.loads(connection.recv_bytes(MESSAGE_BYTES))
                self.arrived.emit(connection, {**message, "who": who})
        self._places.release()
        self.arrived.emit(connection, None)

    def _act(self, connection: Connection, message: Message | None) -> None:
        if message is None:
            if connection is self._owner:
                # For a moment the pattern stays: a program that reconnects takes it over as it is.
                self._stands = f"{LEFT} {self._owner_name}"
                self._owner = None
                QTimer.singleShot(round(1e3 * GRACE_S), self._flatten_if_left)
            connection.close()
            return
        act = self._acts.get(str(message.get("do")))
        if self._ended:
            answer = {"error": self._ended, "kind": "gone"}
        elif act is None:
            answer = {
                "error": f"{plain_line(message.get('do'))} is not understood",
                "kind": "value",
            }
        elif self._owner not in (None, connection) and act != self._status:
            refusal = f"in use by {self._owner_name}; stop it there first"
            answer = {"error": refusal, "kind": "in use"}
        else:
            self._asked_by = message["who"]
            answer = act(connection)
        _answer(connection, {**answer, "number": message.get("number")})

    def _status(self, connection: Connection) -> Message:
        del connection
        return {"owner": self._owner_name if self._owner else "", "stands": self._stands}

    def _own(self, connection: Connection) -> Message:
        found = self._stands
        self._owner, self._owner_name = connection, self._asked_by
        return {"stands": found, "swap": self._window.swap_method}

    def _show(self, connection: Connection, levels: npt.NDArray[np.uint8]) -> Message:
        if connection is not self._owner:
            return {"error": "only its owner may write patterns", "kind": "state"}
        return self._put(levels, f"a pattern of {self._owner_name}")

    def _flatten_if_left(self) -> None:
        """Flatten a pattern that its owner has left and nobody has taken over."""
        if self._owner is None and self._stands.startswith(LEFT):
            # A monitor that cannot carry the pattern has reported that already.
            self._put(np.zeros_like(self._pixels), f"flat, after it was {self._stands}")

    def _flat(self, connection: Connection) -> Message:
        del connection
        return self._put(np.zeros_like(self._pixels), "flat")

    def _put(self, grey: npt.NDArray[np.uint8], what: str) -> Message:
        wrong = self._window.wrong()
        if wrong is not None:
            return {"error": wrong, "kind": "value"}
        copied_s, time_s = self._window.show_levels(grey)
        self._stands = what
        return {"copied_s": copied_s, "time_s": time_s}

    def _release(self, connection: Connection) -> Message:
        answer = self._flat(connection)
        self._owner = None
        return answer

    def _quit(self, connection: Connection) -> Message:
        answer = self._flat(connection)
        # Who still asks until the process has ended gets the reason.
        self._ended = "its window was closed"
        self.over.emit()
        return answer


def _answer(connection: Connection, message: Message) -> None:
    with suppress(OSError):  # the client has left; the message of its end is on its way
        connection.send_bytes(json.dumps(message).encode())
