"""One window that shows a stream of frames for some time; what it measured as one line of JSON.

`python -m benchmarks.gui_checks.live_window WAY BITS FRAMES_PER_S FRAMES` in a process of its own.
WAY: "labdiff", the live view; "window", the whole window of which it is a part; a peer that shows the
frames of the same ring and nothing else, "drawImage" or "ImageItem" of pyqtgraph; or "QThread", the live
view with the camera in a thread of the window's own process.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QObject, QSettings, Qt, QThread, QTimer, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.gui_checks.camera_process import SENSOR, frame_of, pictures, stream
from drivers.types import Frame
from gui import style
from gui.live.view import LiveView
from gui.process.frame_feed import FrameFeed
from gui.process.frame_ring import FrameRing, NumberedFrame
from gui.window import MainWindow

BEAT_MS = 5
WARM_UP, WARM_UP_S = 0.1, 1.5
"""This share of the frames, and at least so long, is not measured: windows open and memory fills."""
MOST_MOMENTS = 1_000_000
"""So many moments of one kind are stored: ninety minutes of beats."""


class Moments:
    """Times, in memory that is there from the beginning: else the watch itself would be what grows."""

    def __init__(self) -> None:
        self._values = np.full(MOST_MOMENTS, np.nan)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, now_s: float) -> None:
        """Add a moment."""
        self._values[self._count] = now_s
        self._count += 1

    def clear(self) -> None:
        """Forget all moments."""
        self._count = 0

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """All moments, in their order."""
        return self._values[: self._count]


class Watch(QObject):
    """When frames came to the screen, how long the event loop did not come round, what memory it took."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._first = int(WARM_UP * frames)
        self._shown_s, self._beats_s = Moments(), Moments()
        self._memory: list[int] = []
        self._cpu_s, self._begun_s = 0.0, float("inf")
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=BEAT_MS)
        self._timer.timeout.connect(lambda: self._beats_s.add(time.perf_counter()))
        self._timer.start()

    def shown(self, number: int) -> None:
        """Note that a frame was painted."""
        now_s = time.perf_counter()
        self._begun_s = min(self._begun_s, now_s)
        if number < self._first or now_s - self._begun_s < WARM_UP_S:
            self._beats_s.clear()
            self._cpu_s = time.process_time()
            return
        if number % 200 == 0 or not len(self._shown_s):
            self._memory.append(memory_bytes())
        self._shown_s.add(now_s)

    def found(self) -> dict[str, float]:
        """Return what was measured, in milliseconds and bytes."""
        shown_s = self._shown_s.values
        gaps_ms = 1e3 * np.diff(self._beats_s.values)
        between_ms = 1e3 * np.diff(shown_s)
        span_s = float(shown_s[-1] - shown_s[0])
        memory = np.array(self._memory, float)
        return {
            "shown": len(shown_s),
            "shown_per_s": (len(shown_s) - 1) / span_s,
            "gap_p99_ms": float(np.percentile(gaps_ms, 99)),
            "gap_max_ms": float(gaps_ms.max()),
            "stall_max_ms": float(between_ms.max()),
            "memory_mb": float(memory[0] / 1e6),
            "memory_growth": float(memory.max() / memory[0] - 1.0),
            "cpu_ms_a_frame": 1e3 * (time.process_time() - self._cpu_s) / len(shown_s),
        }


def memory_bytes() -> int:
    """Return this process's resident memory; 0 where the system does not report it so."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = (line.split() for line in status.read_text().splitlines())
    return 1024 * next(int(words[1]) for words in lines if words[0] == "VmRSS:")


class DrawImage(QWidget):
    """The least that shows a frame: Qt's own image of grey bytes, scaled to the window."""

    painted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._entry: NumberedFrame | None = None

    def show_frame(self, entry: NumberedFrame) -> None:
        """Show a frame, as `gui.live.view.LiveView.show_frame` does."""
        self._entry = entry
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame and report its number."""
        if self._entry is None:
            return
        pixels: Any = self._entry.frame.pixels
        grey = QImage.Format.Format_Grayscale8
        if pixels.itemsize == 2:
            grey = QImage.Format.Format_Grayscale16
        image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], grey)
        painter = QPainter(self)
        painter.drawImage(self.rect(), image)
        painter.end()
        self.painted.emit(self._entry.number)


class ImageItem(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """pyqtgraph's image in a view box, fixed levels, a colour map."""

    painted = Signal(int)

    def __init__(self, bits: int) -> None:
        super().__init__()
        box = self.addViewBox(lockAspect=True, invertY=True)
        self._item = pg.ImageItem(np.zeros(SENSOR, np.uint8 if bits == 8 else np.uint16))
        self._item.setLevels((0, 2**bits - 1))
        self._item.setColorMap(pg.colormap.get("inferno"))
        box.addItem(self._item)
        self._number = 0

    def show_frame(self, entry: NumberedFrame) -> None:
        """Show a frame, as `gui.live.view.LiveView.show_frame` does."""
        self._number = entry.number
        self._item.setImage(entry.frame.pixels, autoLevels=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame and report its number."""
        super().paintEvent(event)
        if self._number:
            self.painted.emit(self._number)
            self._number = 0


class CameraThread(QThread):
    """The camera in a thread of the window's process."""

    taken = Signal(object)

    def __init__(self, bits: int, frames_per_s: float, frames: int) -> None:
        super().__init__()
        self._among = pictures(bits)
        self._pace_s, self._frames = 1.0 / frames_per_s, frames

    def run(self) -> None:
        """Take frames; a copy each, as a driver gives it."""
        due_s = time.perf_counter()
        for number in range(self._frames):
            frame = frame_of(number, self._among)
            copy = Frame(
                frame.pixels.copy(), 5.0, frame.timestamp_s, number, number, 0.0, frame.roi
            )
            self.taken.emit(NumberedFrame(number + 1, copy))
            due_s += self._pace_s
            time.sleep(max(0.0, due_s - time.perf_counter()))


def window_of(way: str, bits: int) -> tuple[QWidget, Any, Any]:
    """Return the window, its slot for frames, and its signal that one was painted."""
    if way == "drawImage":
        plain = DrawImage()
        return plain, plain.show_frame, plain.painted
    if way == "ImageItem":
        item = ImageItem(bits)
        return item, item.show_frame, item.painted
    window = None
    if way == "window":
        folder = Path(tempfile.gettempdir(), "labdiff-live-window")
        kept = QSettings(str(folder / "labdiff.ini"), QSettings.Format.IniFormat)
        window = MainWindow("mock", folder, 0, kept)
    view = LiveView() if window is None else window.panels.live.view
    view.set_camera(SENSOR, bits)
    view.controls.colours.setCurrentText("inferno")
    return window or view, view.show_frame, view.canvas.painted


def main(way: str, bits: int, frames_per_s: float, frames: int) -> None:
    """Show so many frames, then say what was seen."""
    app = QApplication([])
    style.apply(app)
    window, show, painted = window_of(way, bits)
    window.showMaximized()
    watch = Watch(frames)
    painted.connect(watch.shown)
    if way == "QThread":
        thread = CameraThread(bits, frames_per_s, frames)
        thread.taken.connect(show)
        thread.finished.connect(lambda: QTimer.singleShot(200, app.quit))
        QTimer.singleShot(500, thread.start)
        app.exec()
        thread.wait()
    else:
        context = multiprocessing.get_context("spawn")
        ring, stop = FrameRing.create(SENSOR), context.Event()
        args = (ring.name, bits, frames_per_s, frames, stop)
        camera = context.Process(target=stream, args=args, daemon=True)
        feed = FrameFeed(show)
        feed.start(ring)
        timer = QTimer(interval=100)
        timer.timeout.connect(lambda: app.quit() if camera.exitcode is not None else None)
        camera.start()
        timer.start()
        app.exec()
        stop.set()
        camera.join()
        feed.stop()
        ring.close()
    print(json.dumps({"platform": app.platformName(), **watch.found()}), flush=True)
    window.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
