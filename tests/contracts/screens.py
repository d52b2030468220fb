"""Monitors for the SLM window: Qt's offscreen platform with a list of screens, or a real X server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from drivers.slm import window_link
from drivers.slm.window_link import WindowLink, running_windows

DESK = (200, 300)
"""(height, width) of the primary monitor, to the left of the SLM's."""
X_TOOLS = ("Xvfb", "xrandr", "import")


@contextmanager
def offscreen(
    folder: Path, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch, ratio: float = 1.0
) -> Iterator[None]:
    """A primary monitor "desk" and a second one "panel" of that shape. Ends the windows at the end."""
    screens = [
        {"name": "desk", "x": 0, "y": 0, "width": DESK[1], "height": DESK[0]},
        {
            "name": "panel",
            "x": DESK[1],
            "y": 0,
            "width": shape[1],
            "height": shape[0],
            "dpr": ratio,
        },
    ]
    (folder / "screens.json").write_text(json.dumps({"screens": screens}), encoding="utf-8")
    # By a relative name: Qt would split a Windows path at its colon.
    monkeypatch.chdir(folder)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:configfile=screens.json")
    monkeypatch.setenv("LABDIFF_RUNTIME", str(folder))
    try:
        yield
    finally:
        end_windows()


@contextmanager
def x_server(
    folder: Path, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The same on a virtual X server; skips where there is none."""
    if not all(shutil.which(tool) for tool in X_TOOLS):
        pytest.skip(f"needs {', '.join(X_TOOLS)}")
    size = f"{DESK[1] + shape[1]}x{max(DESK[0], shape[0])}x24"
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", size]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{number}")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("LABDIFF_RUNTIME", str(folder))
    try:
        set_monitor("desk", DESK, 0, "screen")
        set_monitor("panel", shape, DESK[1], "none")
        yield
        end_windows()
    finally:
        server.terminate()
        server.wait()


def set_monitor(name: str, shape: tuple[int, int], left: int, output: str) -> None:
    """A monitor of an X server; the one with the output is the primary."""
    area = f"{shape[1]}/300x{shape[0]}/200+{left}+0"
    subprocess.run(["xrandr", "--setmonitor", name, area, output], check=True)


def x_pixels() -> npt.NDArray[np.uint8]:
    """(height, width, 3) of the whole X screen, as it is."""
    size = subprocess.run(
        ["xrandr", "--current"], check=True, capture_output=True, text=True
    ).stdout.split("current ")[1]
    width, height = (int(part.strip()) for part in size.split(",")[0].split("x"))
    grab = subprocess.run(
        ["import", "-silent", "-window", "root", "-depth", "8", "rgb:-"],
        check=True,
        capture_output=True,
    )
    return np.frombuffer(grab.stdout, np.uint8).reshape(height, width, 3)


def end_windows() -> None:
    """Flat and gone."""
    for state in running_windows():
        link = WindowLink(state)
        link.ask("quit")
        link.close()
    ended()


def ended() -> None:
    """Wait until the processes of all windows have ended; they take a moment after their last word."""
    for process in window_link._started:
        process.wait(120.0)
