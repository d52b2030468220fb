"""What the window looks like: one map a quantity, nothing white in the dark, tool tips for all controls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from calibration.step import CalibrationStep
from gui import style
from gui.colour_maps import difference_map, intensity_map, phase_map
from gui.help_sheet import ShortcutSheet
from gui.image_view import ImageView
from gui.live.canvas import KEYS
from gui.panels.calibration_figures import figure_colours
from gui.panels.calibration_panel import CalibrationPanel
from gui.window import MainWindow
from labdiff.events import AlignmentStep

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider)
PARTS = (QAbstractSpinBox, QComboBox, QTabBar, QDockWidget, QLineEdit)
"""Widgets whose own parts need no tool tip."""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> MainWindow:
    settings = QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)
    made = MainWindow("mock", tmp_path / "runs", 0, settings)
    qtbot.addWidget(made)
    pages = made.panels.runs.pages
    assert pages.indexOf(pages.details) >= 0 and pages.indexOf(pages.comparison) >= 0  # made here
    made.show()
    return made


@pytest.fixture
def themes(qtbot: QtBot) -> Iterator[QApplication]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    qtbot.wait(1)  # in an event loop the windows of tests before are deleted; a theme reaches each
    yield app
    style.apply(app, style.DARK)


def test_every_control_has_a_tool_tip(window: MainWindow) -> None:
    silent = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in window.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and not isinstance(widget.parentWidget(), PARTS)
        and not widget.objectName().startswith("qt_")
        and not widget.toolTip().strip()
    ]
    assert silent == []


def test_phases_and_intensities_have_one_map_each(window: MainWindow) -> None:
    used = {"rad": set(), "rel. units": set(), "": set()}  # type: ignore[var-annotated]
    for view in window.findChildren(ImageView):
        used.setdefault(view._unit, set()).add(view._colours)
    assert used["rad"] == {phase_map}
    assert used["rel. units"] == {intensity_map}
    assert used[""] == {difference_map}
    table = phase_map().getLookupTable(nPts=257)
    assert np.abs(table[0].astype(int) - table[-1]).max() < 8, "cyclic"
    steps = np.abs(np.diff(table.astype(int), axis=0)).max(axis=1)
    assert steps.max() < 16, "no edge within"


def test_zero_has_the_brightness_of_the_theme(themes: QApplication) -> None:
    def brightness(rgb: np.ndarray) -> float:
        return float(np.dot(rgb[:3], (0.3, 0.6, 0.1)))

    for chosen, low, high in ((style.DARK, 0, 70), (style.LIGHT, 190, 255)):
        style.apply(themes, chosen)
        middle = difference_map().getLookupTable(nPts=3)[1]
        assert low <= brightness(middle) <= high, chosen.name
        ground = QColor(figure_colours(chosen)["figure.facecolor"])
        assert low <= ground.lightness() <= high, "figures of calibrations too"
    assert brightness(phase_map().getLookupTable(nPts=3)[0]) < 70, "a flat pattern does not glare"


def test_a_checked_button_looks_otherwise(qtbot: QtBot, themes: QApplication) -> None:
    for chosen in (style.DARK, style.LIGHT):
        style.apply(themes, chosen)
        button = QPushButton("Live")
        button.setCheckable(True)
        button.resize(80, 30)
        qtbot.addWidget(button)
        off = button.grab().toImage().pixelColor(8, 15)
        button.setChecked(True)
        on = button.grab().toImage().pixelColor(8, 15)
        apart = (
            abs(on.red() - off.red()) + abs(on.green() - off.green()) + abs(on.blue() - off.blue())
        )
        assert apart > 100, chosen.name


def test_the_sheet_of_keys_has_those_of_the_live_view(qtbot: QtBot, window: MainWindow) -> None:
    window.show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"F12", "Ctrl+P", "Home", "In the live view"} <= {t.strip("</b>") or t for t in texts}
    assert {keys for keys, _ in KEYS} | {act for _, act in KEYS} <= texts
    sheet.close()


def test_pictures_of_calibrations_have_their_own_unit(qtbot: QtBot) -> None:
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    picture = np.ones((4, 4), np.float32)
    panel.show_step(CalibrationStep("registration", 0, 1, "spot", picture), picture)
    assert panel.frame._heads == "Frame, counts"
    panel.show_step(AlignmentStep(0, 1, 0.1, {}, "fit"), picture)
    assert panel.frame._heads == "Frame, rel. units"
    panel.show_step(CalibrationStep("beam", 0, 1, "all", picture, "rms amplitudes"), picture)
    assert panel.frame._heads == "Frame, rms amplitudes"
