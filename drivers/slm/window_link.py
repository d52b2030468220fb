"""The owner's side of an SLM window: start its process, find one that runs, send commands. No Qt here."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.own_process import detached, package_environment, python_command, runtime_folder
from drivers.slm.monitor import Monitor, means
from drivers.slm.qt.environment import native_pixels
from drivers.slm.window_files import (
    WindowState,
    display,
    forget,
    place,
    read_state,
    socket_address,
)

START_S, ANSWER_S, LIST_S = 30.0, 10.0, 30.0
"""Times in which a window has to start, to answer, and to list the monitors."""
ERRORS: dict[str, type[DeviceError]] = {
    "value": DeviceValueError,
    "state": DeviceStateError,
    "gone": DeviceDisconnectedError,
}
"""Exceptions of a window's kinds of error; any other is DeviceNotFoundError: not there, or in use."""

_started: list[subprocess.Popen[bytes]] = []
"""Processes of windows that were started here; those that have ended are reaped with the next search."""


class WindowLink:
    """One connection to a window. Messages have numbers: a late answer is not taken for the next one's.

    Raises DeviceNotFoundError if nobody answers there.
    """

    def __init__(self, state: WindowState) -> None:
        title = state.monitor.title
        self._where, self._number = f"SLM monitor {title}", 0
        self._over: DeviceError | None = None
        try:
            self._connection: Any = Client(socket_address(state.ticket))
            hello = {"key": state.key, "program": Path(sys.argv[0]).name, "pid": os.getpid()}
            self._connection.send_bytes(json.dumps(hello).encode())
        except OSError as error:
            raise DeviceNotFoundError(f"{self._where}: its window does not answer") from error

    def ask(self, what: str) -> dict[str, Any]:
        """Send the window a command, and return its answer.

        what: "own", "show", "show colours", "flat", "release", "quit" or "status".

        Raises DeviceTimeoutError, DeviceNotFoundError while another program owns the window,
        DeviceDisconnectedError when window or monitor are gone and from then on, DeviceStateError when
        closed.
        """
        if self._over is not None:
            raise self._over
        self._number += 1
        try:
            with suppress(OSError):  # it may have ended; its last message then holds the reason
                message = {"do": what, "number": self._number}
                self._connection.send_bytes(json.dumps(message).encode())
            answer = self._answer()
        except (EOFError, OSError, ValueError) as error:
            self._end(DeviceDisconnectedError(f"{self._where}: its window has ended"))
            raise DeviceDisconnectedError(f"{self._where}: its window has ended") from error
        if "error" not in answer:
            return answer
        reason = str(answer["error"]).removeprefix(f"{self._where}: ")
        raised = ERRORS.get(answer["kind"], DeviceNotFoundError)(f"{self._where}: {reason}")
        if answer["kind"] == "gone":
            self._end(raised)
        raise raised

    def _answer(self) -> dict[str, Any]:
        until_s = time.monotonic() + ANSWER_S
        while self._connection.poll(max(0.0, until_s - time.monotonic())):
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
            if answer.get("number", self._number) == self._number:
                return answer
        raise DeviceTimeoutError(f"{self._where}: its window did not answer in {ANSWER_S:g} s")

    def _end(self, reason: DeviceError) -> None:
        if self._over is None:
            self._over = reason
            self._connection.close()

    def close(self) -> None:
        """Let go; the pattern stays."""
        self._end(DeviceStateError(f"{self._where}: is closed"))


def running_windows() -> list[WindowState]:
    """Return the windows on this display, and remove what dead ones left behind."""
    _reap()
    found = []
    for path in sorted(runtime_folder().glob("slm-*.json")):
        state = read_state(path)
        if not isinstance(state, WindowState) or state.display != display():
            continue
        try:
            link = WindowLink(state)
            try:
                link.ask("status")  # a process that ends may still take calls for a moment
            finally:
                link.close()
        except (DeviceNotFoundError, DeviceDisconnectedError):
            forget(state.ticket)
        except DeviceTimeoutError:
            found.append(state)  # it hangs; opening it reports that
        else:
            found.append(state)
    return found


def window_on(address: str, shape: tuple[int, int]) -> WindowState:
    """Return the window on the monitor that an address means, and start it if there is none yet.

    Raises DeviceNotFoundError if the monitor is not there, DeviceValueError if it cannot carry an SLM of
    that (height, width).
    """
    for state in running_windows():
        if means(address, state.monitor):
            why_not = state.monitor.why_not(shape)
            if why_not is not None:
                raise DeviceValueError(f"SLM monitor {state.monitor.title}: {why_not}")
            return state
    return _start(address, shape)


def _start(address: str, shape: tuple[int, int]) -> WindowState:
    ticket = secrets.token_hex(8)
    socket_address(ticket)  # raises here what would else fail in the other process
    log = place(ticket, "log")
    with log.open("wb") as errors:
        arguments = [ticket, str(shape[0]), str(shape[1]), address]
        process = subprocess.Popen(
            python_command("drivers.slm.qt.process", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env=_environment(),
            **detached(),
        )
    _started.append(process)
    deadline = time.monotonic() + START_S
    state = None
    while state is None and time.monotonic() < deadline:
        ended = process.poll() is not None
        state = read_state(place(ticket, "json"))
        if ended:
            break
        if state is None:
            time.sleep(0.02)
    if isinstance(state, WindowState):
        return state
    output = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
    if process.poll() is None and state is None:
        process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(ANSWER_S)
    forget(ticket)
    if state is None:
        raise DeviceNotFoundError(
            f"SLM window for monitor {address!r}: did not start: {output[-1]}"
        )
    raise ERRORS.get(state.kind, DeviceNotFoundError)(state.refused)


def list_monitors(identify_s: float | None = None) -> list[Monitor]:
    """List all monitors, by a process of its own; with identify_s it shows a number on each so long.

    Raises DeviceNotFoundError if there is no display to look at.
    """
    command, environment = monitor_command(identify_s)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=LIST_S + (identify_s or 0.0),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceNotFoundError("monitors: the window system does not answer") from error
    return monitors_of(done.returncode, done.stdout, done.stderr)


def monitor_command(identify_s: float | None = None) -> tuple[list[str], dict[str, str]]:
    """Return command and environment behind `list_monitors`, for a program that must not wait for it."""
    arguments = [] if identify_s is None else [str(identify_s)]
    return python_command("drivers.slm.qt.monitors", *arguments), _environment()


def monitors_of(code: int, output: bytes, errors: bytes) -> list[Monitor]:
    """Return the monitors that the command printed.

    Args:
        code: exit code of the command.
        output: its standard output, JSON.
        errors: its standard error.

    Raises:
        DeviceNotFoundError: the command failed.
    """
    if code:
        lines = errors.decode(errors="replace").strip().splitlines() or ["no display"]
        raise DeviceNotFoundError(f"monitors: no display to look at: {lines[0]}")
    return [Monitor.from_dict(values) for values in json.loads(output)]


def _environment() -> dict[str, str]:
    """Return this process's environment, with these packages on the path and without scaling."""
    environment = package_environment()
    native_pixels(environment)
    return environment


def _reap() -> None:
    _started[:] = [process for process in _started if process.poll() is None]
