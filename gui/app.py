"""The application: opens the window and runs Qt's event loop."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from gui import style
from gui.window import MainWindow
from gui.window_signals import WindowSignals


def show(
    bench: str | None, out: Path, seed: int | None, tour: bool = True, serve_port: int | None = None
) -> int:
    """Run the application and return its exit code.

    Args:
        bench: Bench to connect at once; None to propose that of the last session.
        out: Folder of runs.
        seed: Seed of the mock laboratory; None for that of the last session.
        tour: Offer the tour at the first start.
        serve_port: Port of the loopback at which scripts are served; None for none.

    Raises:
        UserError: If scripts cannot be served there.
    """
    app = QApplication(sys.argv[:1])
    app.setOrganizationName("labdiff")
    app.setApplicationName("labdiff")
    settings = QSettings()
    chosen = settings.value("theme")
    style.apply(app, style.THEMES.get(str(chosen), style.DARK))
    last = settings.value("bench")
    last_seed = settings.value("seed")
    window = MainWindow(
        bench or (str(last) if last else "mock"),
        out,
        seed if seed is not None else int(str(last_seed or 0)),
        settings,
    )
    if serve_port is not None:
        window.serve(serve_port)
    window.show()
    if tour and not settings.value("toured"):
        settings.setValue("toured", True)
        QTimer.singleShot(0, window.start_tour)
    if bench is not None:
        QTimer.singleShot(0, window.panels.bench.connect_button.click)
    signals = WindowSignals(window)
    try:
        return app.exec()
    finally:
        signals.close()
