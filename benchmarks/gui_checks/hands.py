"""A person at the window: eyes, mouse and keys, by xdotool on a screen of its own."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.gui_checks.display import SCREEN, screen
from benchmarks.posix_calls import niceness

ROOT = Path(__file__).parents[2]
POLL_S = 0.1
PATIENCE_S = 60.0
NEEDED = ("Xvfb", "openbox", "xdotool", "import")


class Hands:
    """One window at a time. folder: where it runs and stores its settings and its archive."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        homes = {name: str(folder / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        self.environment = {**environment, **homes, "OMP_NUM_THREADS": "1"}
        self.folder = folder
        self._map = folder / "map.json"
        self._window: subprocess.Popen[bytes] | None = None

    def open(self, *arguments: str, engine: str = "", program: str = "mapped_window") -> None:
        """Start `labdiff gui` with these arguments, and wait until it can be seen.

        Args:
            arguments: Those of the command.
            engine: What the program takes beside the map of widgets; "" for nothing.
            program: Module beside this one that opens the window.
        """
        self._map.unlink(missing_ok=True)
        asked = [str(self._map), *([engine] if engine else []), "--", *arguments]
        self._window = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.gui_checks.{program}", *asked],
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(ROOT)},
        )
        self.until(lambda: "labdiff" in self.seen(), "the window")
        time.sleep(0.5)  # where a window manager puts it is known a moment later

    @property
    def pid(self) -> int:
        """The number of the window's process."""
        assert self._window is not None
        return self._window.pid

    @property
    def alive(self) -> bool:
        """Whether the window's process runs and still reports where its widgets are."""
        if self._window is None or self._window.poll() is not None:
            return False
        before_s = self._map.stat().st_mtime
        try:
            self.until(lambda: self._map.stat().st_mtime > before_s, "a sign of life", 10.0)
        except TimeoutError:
            return False
        return True

    @property
    def written_s(self) -> float:
        """When the window last said where its widgets are."""
        return self._map.stat().st_mtime

    def bench_pid(self) -> int:
        """Return the number of the bench's process: the child of low priority."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return next(int(c) for c in children if niceness(int(c)) >= 10)

    def seen(self) -> dict[str, list[Any]]:
        """Return all widgets that can be seen, by name."""
        try:
            found: dict[str, list[Any]] = json.loads(self._map.read_text())
        except FileNotFoundError:
            return {}
        return found

    def text(self, name: str) -> str:
        """Return the text of a widget; "" if it cannot be seen."""
        return str(self.seen().get(name, [0, 0, 0, 0, False, ""])[5])

    def until(self, true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until something is true; raise TimeoutError if it never is."""
        end_s = time.monotonic() + patience_s
        while not true():
            if time.monotonic() > end_s:
                raise TimeoutError(f"{what} did not come in {patience_s:g} s")
            time.sleep(POLL_S)

    def until_text(self, name: str, text: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until a text stands on a widget."""
        self.until(lambda: text in self.text(name), f"'{text}' on {name}", patience_s)

    def cut(self) -> list[str]:
        """Return the buttons and labels that are clipped, or have less room than their text."""
        return [name for name, found in self.seen().items() if found[6]]

    def click(self, name: str) -> None:
        """Click the middle of a widget, as soon as it can be seen and is enabled."""
        self.until(lambda: self.seen().get(name, [0] * 5)[4], f"{name}, to be clicked")
        left, top, width, height = self.seen()[name][:4]
        x = left + min(width // 2, 12 if name in ("emission", "pretrained") else width)
        self.tool("mousemove", x, top + height // 2, "sleep", 0.1, "click", 1)
        time.sleep(0.3)

    def key(self, *keys: str) -> None:
        """Press keys."""
        self.tool("key", "--delay", 40, *keys)
        time.sleep(0.3)

    def write(self, name: str, text: str) -> None:
        """Type a text into a field, instead of what stands there."""
        self.click(name)
        self.key("ctrl+a")
        self.tool("type", "--delay", 20, text)
        self.key("Delete", "Tab")

    def picture(self, name: str) -> npt.NDArray[np.uint8]:
        """Return what can be seen of a widget on the screen, (height, width, 3)."""
        left, top, width, height = self.seen()[name][:4]
        asked = ["import", "-window", "root", "-crop", f"{width}x{height}+{left}+{top}", "png:-"]
        shot = subprocess.run(asked, env=self.environment, stdout=subprocess.PIPE, check=True)
        return np.asarray(Image.open(io.BytesIO(shot.stdout)).convert("RGB"))

    def tool(self, *arguments: object) -> str:
        """Run xdotool and return its answer."""
        asked = ["xdotool", *map(str, arguments)]
        done = subprocess.run(asked, env=self.environment, capture_output=True, text=True)
        return done.stdout.strip()

    def geometry(self) -> list[str]:
        """Return place and size of the window, as the X server has them."""
        number = self.tool("search", "--onlyvisible", "--name", "^labdiff$").split()[0]
        found = self.tool("getwindowgeometry", "--shell", number).splitlines()
        return [line for line in found if line[0] in "XYWH"]

    def close(self, patience_s: float = 40.0) -> int:
        """Close the window by the window manager, as its user does, and return the exit code."""
        assert self._window is not None
        number = self.tool("search", "--onlyvisible", "--name", "^labdiff$").split()[0]
        self.tool("windowactivate", "--sync", number)
        self.key("alt+F4")
        return self._window.wait(patience_s)

    def kill(self) -> None:
        """End the window if it still runs."""
        if self._window is not None and self._window.poll() is None:
            self._window.send_signal(signal.SIGTERM)
            self._window.wait(PATIENCE_S)


@contextmanager
def hands(folder: Path, size: str = SCREEN) -> Iterator[Hands]:
    """Yield hands on a screen with a small window manager; what they opened is closed at the end.

    Args:
        folder: Where the window runs and stores its settings and its archive.
        size: Of the screen, "WIDTHxHEIGHTxBITS".
    """
    with screen(size) as environment:
        manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL)
        person = Hands(environment, folder)
        try:
            yield person
        finally:
            person.kill()
            manager.terminate()
            manager.wait()
