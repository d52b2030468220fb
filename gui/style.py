"""One dark palette for the window and its plots."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND, PANEL, TEXT, QUIET = "#14181f", "#1d232d", "#dfe5ee", "#93a0b4"
BENCH, TWIN, DISCREPANCY, BASELINE = "#ffb454", "#59c2ff", "#f07178", "#93a0b4"


def apply(app: QApplication) -> None:
    """Fusion with a dark palette; pyqtgraph to match, images as [row, column]."""
    app.setStyle("Fusion")
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: BACKGROUND,
        QPalette.ColorRole.WindowText: TEXT,
        QPalette.ColorRole.Base: PANEL,
        QPalette.ColorRole.AlternateBase: BACKGROUND,
        QPalette.ColorRole.Text: TEXT,
        QPalette.ColorRole.Button: PANEL,
        QPalette.ColorRole.ButtonText: TEXT,
        QPalette.ColorRole.Highlight: "#2f6fab",
        QPalette.ColorRole.HighlightedText: "#ffffff",
        QPalette.ColorRole.ToolTipBase: PANEL,
        QPalette.ColorRole.ToolTipText: TEXT,
        QPalette.ColorRole.PlaceholderText: QUIET,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#5b6678"))
    app.setPalette(palette)
    pg.setConfigOptions(
        imageAxisOrder="row-major", background=BACKGROUND, foreground=QUIET, antialias=False
    )
