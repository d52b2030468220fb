"""The words of the window are a person's: those of the bench, none of our own, numbers with their units."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QTableView,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.help_sheet import ShortcutSheet
from gui.tour import STEPS
from gui.window import MainWindow
from labdiff.engine.status import BenchState, DeviceState, Setting
from labdiff.events import TrainingStep

FORBIDDEN = (
    r"foretold",
    r"\bx flat\b",
    r"phase pull",
    r"show lines that hold",
    r"\bstale\b",
    r"\btold\b",
    r"\bas it was\b",
    r"\bD = 1 - C\b",
    r"up to date",
    r"\bchosen\b",
)
"""What no widget may say."""


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    place = tmp_path_factory.mktemp("words")
    settings = QSettings(str(place / "labdiff.ini"), QSettings.Format.IniFormat)
    opened = MainWindow("mock", place / "runs", 0, settings)
    opened.show()
    camera = (
        Setting("exposure", 2.0, 2.0, "ms", 0.01, 100.0),
        Setting("bit depth", None, 12, "bits"),
    )
    laser = (Setting("power", 2.0, 2.0, "mW", 0.0, 50.0),)
    devices = (
        DeviceState("laser", "mock", "laser", True, laser),
        DeviceState("camera", "mock", "camera", True, camera),
    )
    state = BenchState(
        "mock",
        devices,
        emission=False,
        live=False,
        sensor_shape=(40, 50),
        bit_depth=12,
        full_scale_counts=4095,
        panel_shape=(40, 120),
        patch_shape=(30, 30),
        pixel_pitch_um=8.0,
        wavelength_nm=850.0,
        calibrations=str(place / "archive"),
    )
    opened.router.route(state, {})
    noise = np.ones((4, 4), np.float32)
    opened.router.route(
        TrainingStep("online", 0, 9, 0, 0.1, 0.1, 0.02, 0.01, end_t=50, wiener_mse=0.1),
        {"true": noise, "predicted": noise},
    )
    yield opened
    opened.close()


def texts(widget: QWidget) -> Iterator[str]:
    """Yield everything that can be read at a widget."""
    yield widget.toolTip()
    yield widget.windowTitle()
    match widget:
        case QLabel() | QAbstractButton():
            yield widget.text()
        case QGroupBox():
            yield widget.title()
        case QLineEdit():
            yield widget.text()
            yield widget.placeholderText()
        case QComboBox():
            yield from (widget.itemText(place) for place in range(widget.count()))
        case QTabWidget():
            yield from (widget.tabText(place) for place in range(widget.count()))
        case QTableView():
            model = widget.model()
            for column in range(model.columnCount()):
                for role in (0, 3):  # the heading and its tool tip
                    yield str(model.headerData(column, Qt.Orientation.Horizontal, role) or "")
                for row in range(model.rowCount()):
                    yield str(model.index(row, column).data() or "")


def all_texts(window: MainWindow) -> set[str]:
    sheet = ShortcutSheet(window.findChildren(QAction), window)
    found = {text for widget in window.findChildren(QWidget) for text in texts(widget)}
    found |= {action.text().replace("&", "") for action in window.findChildren(QAction)}
    sheet.deleteLater()
    return found | {text for step in STEPS for text in step}


def test_no_word_of_our_own_stands_in_the_window(window: MainWindow) -> None:
    found = all_texts(window)
    assert len(found) > 200
    wrong = [text for text in found for word in FORBIDDEN if re.search(word, text, re.IGNORECASE)]
    assert not wrong


@pytest.mark.parametrize(
    "words",
    [
        "Check",
        "Update outdated",
        "Measure selected",
        "Laser off (safe state)",
        "ROI top (px)",
        "Bit depth",
        "show lines that contain ...",
        "Mismatch",
    ],
)
def test_a_person_s_words_are_used(qtbot: QtBot, window: MainWindow, words: str) -> None:
    assert words in all_texts(window)
