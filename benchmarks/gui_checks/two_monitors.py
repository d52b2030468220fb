"""An X server with two monitors, the desk (the primary) and the SLM's, and what stands on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
DESK = (1200, 1920)
"""(height, width) of the primary, to the left of the SLM's."""
TOOLS = ("Xvfb", "xrandr", "import")


def missing() -> list[str]:
    """Return the programs that this needs and that are not here."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@contextmanager
def two_monitors(shape: tuple[int, int], scale_factor: str) -> Iterator[dict[str, str]]:
    """Yield the environment in which monitor "panel" has that (height, width) and Qt magnifies."""
    size = f"{DESK[1] + shape[1]}x{max(DESK[0], shape[0])}x24"
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", size],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as answer, tempfile.TemporaryDirectory() as folder:
            environment = {
                **os.environ,
                "DISPLAY": f":{answer.readline().strip()}",
                "QT_QPA_PLATFORM": "xcb",
                "QT_SCALE_FACTOR": scale_factor,
                "LABDIFF_RUNTIME": folder,
            }
            monitor(environment, "--setmonitor", "desk", _area(DESK, 0), "screen")
            monitor(environment, "--setmonitor", "panel", _area(shape, DESK[1]), "none")
            yield environment
    finally:
        server.terminate()
        server.wait()


def monitor(environment: dict[str, str], *arguments: str) -> None:
    """Change the monitors by a command of xrandr."""
    command = ["xrandr", *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def grab(environment: dict[str, str], shape: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Return every pixel of the desk and of the panel now, (height, width, 3)."""
    command = ["import", "-silent", "-window", "root", "-depth", "8", "rgb:-"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    height, width = max(DESK[0], shape[0]), DESK[1] + shape[1]
    whole = np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3)
    return whole[: DESK[0], : DESK[1]], whole[: shape[0], DESK[1] :]


def _area(shape: tuple[int, int], left: int) -> str:
    return f"{shape[1]}/300x{shape[0]}/200+{left}+0"
