"""Open the window."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from gui import style
from gui.window import MainWindow


def show(bench: str, out: Path, seed: int, start: bool, quick: bool) -> int:
    """Run the application; returns its exit code."""
    app = QApplication(sys.argv[:1])
    style.apply(app)
    window = MainWindow(bench, out, seed)
    window.quick.setChecked(quick)
    window.show()
    if start:
        window.start()
    return app.exec()
