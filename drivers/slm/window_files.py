"""Where an SLM window's process and those who drive it find each other: files in a folder of the user's.

Each window has a ticket, and by it: `slm-TICKET.json`, written once, when the window is up or has refused;
`slm-TICKET.pixels`, the grey levels that both map into memory; `slm-TICKET.log`, its output.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from drivers.errors import DeviceNotFoundError
from drivers.own_process import runtime_folder
from drivers.slm.monitor import Monitor

ADDRESS_LIMIT = 100
"""Number of characters that every system allows in the name of a local socket."""


@dataclass(frozen=True, slots=True)
class WindowState:
    """A window that runs, as its process describes it.

    key: with which a program is let in. display: the X or Wayland display that the window is on.
    """

    ticket: str
    pid: int
    display: str
    monitor: Monitor
    key: str


@dataclass(frozen=True, slots=True)
class WindowRefusal:
    """A window that does not run. refused: the reason. kind: of the exception that it means."""

    ticket: str
    refused: str
    kind: str


def display() -> str:
    """Return the display of this process's windows; windows on another one cannot be driven from here."""
    return os.environ.get("WAYLAND_DISPLAY", "") + os.environ.get("DISPLAY", "")


def place(ticket: str, what: str) -> Path:
    """Return the path of a window's file: what = "json", "pixels", "log"."""
    return runtime_folder() / f"slm-{ticket}.{what}"


def socket_address(ticket: str) -> str:
    """Return the address of the window's control channel: a socket in the folder, on Windows a named pipe.

    Raises DeviceNotFoundError if the folder's path is too long for a socket.
    """
    if sys.platform == "win32":
        return rf"\\.\pipe\labdiff-slm-{ticket}"
    path = str(place(ticket, "socket"))
    if len(path) > ADDRESS_LIMIT:
        raise DeviceNotFoundError(
            f"{path}: too long for a socket; name a shorter folder with LABDIFF_RUNTIME"
        )
    return path


def write_state(state: WindowState | WindowRefusal) -> None:
    """Write the state once; the file is whole when it is there."""
    path = place(state.ticket, "json")
    working = path.with_suffix(".part")
    working.touch(mode=0o600)
    working.write_text(json.dumps(asdict(state)), encoding="utf-8")
    working.replace(path)


def read_state(path: Path) -> WindowState | WindowRefusal | None:
    """Read the state; None if there is none, or what is there is not one."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        ticket = str(values["ticket"])
        if values.get("refused"):
            return WindowRefusal(ticket, str(values["refused"]), str(values["kind"]))
        monitor = Monitor.from_dict(values["monitor"])
        return WindowState(
            ticket, int(values["pid"]), str(values["display"]), monitor, str(values["key"])
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def forget(ticket: str) -> None:
    """Remove a window's files; what another program still holds open is left for the next time."""
    for what in ("json", "part", "pixels", "socket", "log"):
        with suppress(OSError):
            place(ticket, what).unlink(missing_ok=True)
