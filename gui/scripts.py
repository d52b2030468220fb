"""Scripts that steer the window: the door of `labdiff gui --serve`, and the console's own."""

from __future__ import annotations

from pathlib import Path

from gui.door_bridge import DoorBridge, Steered
from labdiff.errors import UserError


class Scripts:
    """Lets scripts in where that was asked for: by `--serve`, or by opening the console.

    Args:
        window: The window that they steer.
        out: Folder of runs.
    """

    def __init__(self, window: Steered, out: Path) -> None:
        self._window, self._out = window, out
        self.door: DoorBridge | None = None
        self._console: DoorBridge | None = None
        window.panels.console.start_wanted.connect(self._start_console)

    def serve(self, port: int) -> None:
        """Answer scripts at a port of the loopback. Raises UserError if nothing can listen there."""
        self.door = DoorBridge(self._window, self._out, port)

    def close(self) -> None:
        """Answer nobody any more, and end the console."""
        self._window.panels.console.close_process()
        for door in (self.door, self._console):
            if door is not None:
                door.close()

    def _start_console(self) -> None:
        """Start the console, with a door of its own whose token is in no file."""
        panels = self._window.panels
        try:
            self._console = self._console or DoorBridge(self._window, self._out, 0, private=True)
        except UserError as error:
            panels.log.add(f"the console cannot begin: {error}")
            return
        panels.console.start(self._console.address.port, self._console.address.token)
