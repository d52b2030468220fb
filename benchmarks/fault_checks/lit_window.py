"""The window with its laser on, `-m benchmarks.fault_checks.lit_window BENCH.toml`: prints "bench PID"."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from unittest.mock import patch

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from gui.app import show
from gui.window import MainWindow

LOOK_MS = 200
"""Time between two looks whether the bench is connected."""


def light() -> None:
    """Switch the laser on as soon as the bench is connected; then print which process has it."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow) and window.router.bench.devices:
            window.panels.bench.emission_wanted.emit(True)
            (process,) = multiprocessing.active_children()
            print("bench", process.pid, flush=True)
            return
    QTimer.singleShot(LOOK_MS, light)


if __name__ == "__main__":
    original = MainWindow.show

    def show_and_light(window: MainWindow) -> None:
        """Show the window; its timers run from then on."""
        original(window)
        QTimer.singleShot(LOOK_MS, light)

    with patch.object(MainWindow, "show", show_and_light):
        raise SystemExit(show(sys.argv[1], Path("runs"), 0, tour=False))
