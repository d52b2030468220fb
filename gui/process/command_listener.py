"""What the bench's process hears of the window: commands, the emergency's OFF, signs of life, its end."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from gui.process.hand_requests import HandRequests
from labdiff.engine.commands import Command, HandDone, Quit, SafeState

FROZEN_S = 10.0
"""Time without a sign of life after which the window counts as frozen, and the bench is made safe."""


class CommandListener:
    """Receives commands in threads. The laser does not wait for the job to come to its next event.

    Args:
        commands: where they are put; None ends the process.
        laser_off: switches the laser off at once.
        frozen: called when the window, which gave signs of life, does not any more.
        hands: to which answers of the person go, past all commands.
    """

    def __init__(
        self,
        commands: queue.SimpleQueue[Command | None],
        laser_off: Callable[[], None],
        frozen: Callable[[], None],
        hands: HandRequests,
    ) -> None:
        self._commands, self._laser_off, self._frozen = commands, laser_off, frozen
        self._hands = hands
        self._queueing, self._pressed = threading.Lock(), 0

    def start(self, take: Connection, off: Connection) -> None:
        """Listen in threads.

        Args:
            take: where commands come in, and None as a sign of life.
            off: where OFF comes in, past all commands.
        """
        for name, listen, line in (("commands", self._listen, take), ("off", self._hear_off, off)):
            threading.Thread(target=listen, args=(line,), name=name, daemon=True).start()

    def _listen(self, take: Connection) -> None:
        watched = False
        while True:
            try:
                if watched and not take.poll(FROZEN_S):
                    watched = False
                    self._make_safe()
                    self._frozen()
                    continue
                command: Command | None = take.recv()
            except (EOFError, OSError):
                self._quietly_off()
                self._hands.end()
                self._commands.put(None)
                return
            if command is None:
                watched = True
            elif isinstance(command, HandDone):
                self._hands.answer(command)
            elif isinstance(command, SafeState):
                self._make_safe(command.press)
            else:
                if isinstance(command, Quit):
                    self._quietly_off()
                self._commands.put(command)

    def _hear_off(self, off: Connection) -> None:
        """Switch the laser off whenever the window asks for it, and when the window is gone."""
        while True:
            try:
                press = int(off.recv_bytes())
            except (EOFError, OSError):
                self._quietly_off()
                return
            self._quietly_off()
            with self._queueing:
                if press > self._pressed:
                    self._pressed = press
                    self._commands.put(SafeState(press))

    def _make_safe(self, press: int = 0) -> None:
        """Switch the laser off; forget the commands that wait: what was wanted before is not wanted now.

        The rest of the safe state follows once for each press: a person who switches the laser by hand is
        asked once.
        """
        self._quietly_off()
        with self._queueing:
            waiting = []
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.append(self._commands.get_nowait())
            for command in waiting:
                if command is None or isinstance(command, Quit):
                    self._commands.put(command)
            begun = 0 < press <= self._pressed and SafeState(press) not in waiting
            self._pressed = max(press, self._pressed)
            if not begun:
                self._commands.put(SafeState(press))

    def _quietly_off(self) -> None:
        # What goes wrong is reported when the bench is left.
        with contextlib.suppress(Exception):
            self._laser_off()
