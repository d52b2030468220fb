"""The themes, light and dark: one palette for the window and for its plots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by role.

    Curves are bench, twin, discrepancy, floor and baseline; states are good, warn and bad. `series` is for
    what has no role of its own, such as several runs in one plot; the colour-blind can distinguish them.
    """

    name: str
    background: str
    panel: str
    raised: str
    line: str
    text: str
    quiet: str
    disabled: str
    accent: str
    on_accent: str
    bench: str
    twin: str
    discrepancy: str
    floor: str
    baseline: str
    good: str
    warn: str
    bad: str
    saturated: str
    series: tuple[str, ...]


DARK = Theme(
    name="dark",
    background="#14181f",
    panel="#1b212b",
    raised="#262e3b",
    line="#37414f",
    text="#dfe5ee",
    quiet="#93a0b4",
    disabled="#5b6678",
    accent="#3d8bd4",
    on_accent="#ffffff",
    bench="#ffb454",
    twin="#59c2ff",
    discrepancy="#f07178",
    floor="#7fd962",
    baseline="#93a0b4",
    good="#7fd962",
    warn="#ffb454",
    bad="#ff6b70",
    saturated="#ff3b6b",
    series=("#59c2ff", "#ffb454", "#4fd6a9", "#f28fd0", "#e8e06a", "#b39dff", "#ff8a65", "#a9b4c4"),
)
LIGHT = Theme(
    name="light",
    background="#f4f5f7",
    panel="#ffffff",
    raised="#e9ecf1",
    line="#c6ccd6",
    text="#1d2430",
    quiet="#5c6778",
    disabled="#a3acb9",
    accent="#1f6fb8",
    on_accent="#ffffff",
    bench="#b85c00",
    twin="#0b76b8",
    discrepancy="#c2303a",
    floor="#2f7d1e",
    baseline="#5c6778",
    good="#2f7d1e",
    warn="#a35a00",
    bad="#c2303a",
    saturated="#e0004d",
    series=("#0b76b8", "#b85c00", "#00835f", "#b03a8c", "#857800", "#6a4fc0", "#b3402a", "#56606e"),
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


CHECK = (Path(__file__).parent / "check.svg").as_posix()
"""Picture of a check mark: Fusion's own has a colour that cannot be seen in a dark window."""


class _Style(QObject):
    """Holds the theme in use.

    Attributes:
        changed: Emitted when the theme has changed; whatever used its colours paints again.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme = DARK


style = _Style()


def theme() -> Theme:
    """Return the theme in use."""
    return style.theme


def apply(app: QApplication, chosen: Theme = DARK) -> None:
    """Apply a theme to the application and to pyqtgraph, which takes images as [row, column]."""
    style.theme = chosen
    if not app.styleSheet():
        # Once: each time costs every widget a fifth of what the sheet costs it.
        app.setStyle("Fusion")
    app.setPalette(palette(chosen))
    app.setStyleSheet(_sheet(chosen))
    pg.setConfigOptions(
        imageAxisOrder="row-major",
        background=chosen.panel,
        foreground=chosen.quiet,
        antialias=False,
    )
    style.changed.emit()


def switch() -> Theme:
    """Apply the other theme to the application, and return it."""
    app = QApplication.instance()
    chosen = LIGHT if theme() is DARK else DARK
    if isinstance(app, QApplication):
        apply(app, chosen)
    return chosen


def palette(chosen: Theme) -> QPalette:
    """Return Qt's palette of a theme."""
    result = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: chosen.background,
        role.WindowText: chosen.text,
        role.Base: chosen.panel,
        role.AlternateBase: chosen.raised,
        role.Text: chosen.text,
        role.Button: chosen.raised,
        role.ButtonText: chosen.text,
        role.BrightText: chosen.bad,
        role.Light: chosen.line,
        role.Midlight: chosen.line,
        role.Mid: chosen.line,
        role.Dark: chosen.line,
        role.Shadow: chosen.background,
        role.Link: chosen.accent,
        role.Highlight: chosen.accent,
        role.HighlightedText: chosen.on_accent,
        role.ToolTipBase: chosen.raised,
        role.ToolTipText: chosen.text,
        role.PlaceholderText: chosen.quiet,
    }
    for name, colour in colours.items():
        result.setColor(name, QColor(colour))
    for name in (role.Text, role.ButtonText, role.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, name, QColor(chosen.disabled))
    return result


def _thin(colour: str) -> str:
    """Return the colour with so little opacity that text on it can be read in both themes."""
    full = QColor(colour)
    return f"rgba({full.red()}, {full.green()}, {full.blue()}, 55%)"


def _sheet(chosen: Theme) -> str:
    """Return the style sheet of a theme: what a palette cannot express."""
    return f"""
        QToolTip {{ color: {chosen.text}; background: {chosen.raised}; border: 1px solid {chosen.line}; }}
        QTabWidget::pane {{ background: {chosen.background}; border: 1px solid {chosen.line}; }}
        QDockWidget::title {{ background: {chosen.raised}; padding: 0.3em; }}
        QGroupBox {{ border: 1px solid {chosen.line}; border-radius: 0.3em; margin-top: 0.7em;
                     padding-top: 0.5em; }}
        QGroupBox::title {{ subcontrol-origin: margin; left: 0.7em; padding: 0 0.2em;
                            color: {chosen.quiet}; }}
        QProgressBar {{ border: 1px solid {chosen.line}; border-radius: 0.3em; text-align: center;
                        background: {chosen.panel}; }}
        QPushButton:checked {{ background: {chosen.accent}; color: {chosen.on_accent};
                               border: 1px solid {chosen.accent}; border-radius: 0.3em;
                               padding: 0.25em 0.8em; }}
        QToolButton:checked {{ background: {chosen.panel}; border: 1px solid {chosen.accent};
                               border-radius: 0.3em; padding: 0.15em 0.3em; }}
        QCheckBox::indicator {{ width: 0.95em; height: 0.95em; border: 1px solid {chosen.quiet};
                                border-radius: 0.2em; background: {chosen.panel}; }}
        QCheckBox::indicator:checked {{ background: {chosen.accent}; border-color: {chosen.accent};
                                        image: url("{CHECK}"); }}
        QCheckBox::indicator:focus {{ border-color: {chosen.text}; }}
        QCheckBox::indicator:disabled {{ border-color: {chosen.line}; }}
        QCheckBox::indicator:checked:disabled {{ background: {chosen.disabled}; }}
        QProgressBar::chunk {{ background: {_thin(chosen.accent)}; border-radius: 0.2em; }}
    """
