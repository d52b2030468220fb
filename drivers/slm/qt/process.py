"""The SLM window's process: `python -m drivers.slm.qt.process TICKET HEIGHT WIDTH ADDRESS`.

It outlives whoever started it, is flat some seconds after its owner has ended, and never covers the
primary monitor. Whether it is up, or why not, it writes into its state file.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import signal
import sys

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceError, DeviceNotFoundError, DeviceValueError
from drivers.own_process import runtime_folder
from drivers.slm.monitor import Monitor, choose
from drivers.slm.qt.environment import native_pixels
from drivers.slm.window_files import (
    WindowRefusal,
    WindowState,
    display,
    forget,
    place,
    write_state,
)

native_pixels()

from PySide6.QtCore import QLockFile, Qt  # noqa: E402
from PySide6.QtGui import QGuiApplication, QScreen  # noqa: E402

from drivers.slm.qt.monitors import describe  # noqa: E402
from drivers.slm.qt.pattern_window import PatternWindow  # noqa: E402
from drivers.slm.qt.service import Service  # noqa: E402

LOCK_MS = 3000
"""Time in which a window that was just closed has to release its monitor."""


def main(ticket: str, shape: tuple[int, int], address: str) -> int:
    """Cover the monitor that the address means, until the window is closed; return the exit code.

    Args:
        ticket: name under which the window's files are found.
        shape: (height, width) of the monitor.
        address: of the monitor.
    """
    # Ctrl-C in the terminal of the program that started us is not meant for the SLM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    app = QGuiApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    try:
        screen, monitor = find_screen(app, shape, address)
        lock = lock_of(monitor)
        window = PatternWindow(screen)
        wrong = window.wrong()
        if wrong is not None:
            raise DeviceValueError(f"SLM monitor {monitor.title}: {wrong}")
    except DeviceError as error:
        kind = "value" if isinstance(error, DeviceValueError) else "not found"
        write_state(WindowRefusal(ticket, str(error), kind))
        return 1
    window.show_levels(np.zeros(shape, np.uint8))
    key = secrets.token_hex(16)
    service = Service(window, shared_pixels(ticket, shape), ticket, key)
    watch(app, screen, monitor, service)
    # Queued: a thing that goes wrong while events are first handled must not be lost.
    service.over.connect(app.quit, Qt.ConnectionType.QueuedConnection)
    write_state(WindowState(ticket, os.getpid(), display(), monitor, key))
    code = app.exec()
    window.destroy()
    lock.unlock()
    forget(ticket)
    return code


def find_screen(
    app: QGuiApplication, shape: tuple[int, int], address: str
) -> tuple[QScreen, Monitor]:
    """Return the screen that the address means.

    Args:
        app: Qt's application.
        shape: (height, width) that it must have.
        address: of the monitor.

    Raises:
        DeviceError: the monitor cannot be an SLM.
    """
    screens = app.screens()
    monitors = [describe(screen) for screen in screens]
    monitor = choose(monitors, address)
    screen = screens[monitors.index(monitor)]
    why_not = monitor.why_not(shape)
    if why_not is None and screen.devicePixelRatio() != 1.0:
        why_not = (
            f"the desktop magnifies it by {screen.devicePixelRatio():g}; set its scale to 100 % in the "
            "system's display settings"
        )
    if why_not is not None:
        raise DeviceValueError(f"SLM monitor {monitor.title}: {why_not}")
    return screen, monitor


def lock_of(monitor: Monitor) -> QLockFile:
    """Claim a monitor for its one window. Raises DeviceNotFoundError if another process has done so."""
    whole = f"{display()} {monitor.name} {monitor.address}"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    lock = QLockFile(str(runtime_folder() / f"monitor-{digest}.lock"))
    lock.setStaleLockTime(0)  # only the end of its process makes a lock stale, not its age
    if not lock.tryLock(LOCK_MS):  # a window that was just closed is still on its way out
        raise DeviceNotFoundError(
            f"SLM monitor {monitor.title}: another program is opening it at this moment; in use"
        )
    return lock


def shared_pixels(ticket: str, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return room for colours (height, width, 3) in a mapped file, which survives all processes."""
    path = place(ticket, "pixels")
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        file.truncate(3 * shape[0] * shape[1])
        memory = mmap.mmap(file.fileno(), 3 * shape[0] * shape[1])
    return np.frombuffer(memory, np.uint8).reshape(*shape, 3)


def watch(app: QGuiApplication, screen: QScreen, monitor: Monitor, service: Service) -> None:
    """End the service when the monitor is removed, resized or made the primary: Qt would move the window.

    Args:
        app: Qt's application.
        screen: that the window covers.
        monitor: its description.
        service: of the window.
    """

    def removed(gone: QScreen) -> None:
        if gone is screen:
            service.fail(f"SLM monitor {monitor.title}: it was unplugged or switched off")

    def changed() -> None:
        why_not = describe(screen).why_not(monitor.shape)
        if why_not is not None:
            service.fail(f"SLM monitor {monitor.title}: {why_not}")

    app.screenRemoved.connect(removed)
    app.primaryScreenChanged.connect(changed)
    screen.geometryChanged.connect(changed)


if __name__ == "__main__":
    name, height, width, which = sys.argv[1:]
    sys.exit(main(name, (int(height), int(width)), which))
