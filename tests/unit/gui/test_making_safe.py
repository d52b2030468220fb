"""The laser behind the window goes dark whatever is open in it, by the laser's own account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from gui.widgets.dialogs import close_all
from gui.widgets.number_field import CountField
from gui.window import MainWindow
from gui.window_questions import ask_to_close
from tests.support.laser_server import LaserServer, laser_server
from tests.unit.gui.file_choice import answer, opened
from tests.unit.gui.lit_engine import ADDRESS, STUCK_BATCH

ENGINE = "tests.unit.gui.lit_engine:Engine"
PATIENCE_MS = 600_000
Opener = tuple[str, Callable[[], None]]


@pytest.fixture
def laser() -> Iterator[LaserServer]:
    with laser_server() as server:
        yield server


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, laser: LaserServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    monkeypatch.setenv(ADDRESS, laser.address)
    settings = QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)
    shown = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(shown)
    shown.show()
    shown.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: shown.panels.bench.connected, timeout=PATIENCE_MS)
    yield shown
    shown.close_process()
    shown._closing = True


def light(qtbot: QtBot, window: MainWindow, laser: LaserServer) -> None:
    window.panels.bench.emission_wanted.emit(True)
    qtbot.waitUntil(lambda: laser.on, timeout=PATIENCE_MS)


def dark(qtbot: QtBot, laser: LaserServer) -> None:
    qtbot.waitUntil(lambda: not laser.on, timeout=PATIENCE_MS)


def start(window: MainWindow, batch: int) -> None:
    field = window.findChild(CountField, "option_batch")
    assert field is not None
    field.setValue(batch)
    window.panels.training.start.click()


def in_front(window: MainWindow) -> QWidget:
    return QApplication.activePopupWidget() or QApplication.activeWindow() or window


def dialogs_of(window: MainWindow) -> Iterator[Opener]:
    panels = window.panels
    yield "keys", window.show_shortcuts
    yield "tour", window.start_tour
    yield "close?", partial(ask_to_close, window, window.router.job, window._close_anyway)
    yield "bench file", panels.bench._browse
    yield "load", panels.slm.file._ask_load
    yield "save", panels.slm._ask_save
    yield "resume", panels.training._resume
    yield "layers", panels.generate._browse


def menus_of(window: MainWindow) -> Iterator[Opener]:
    place = window.mapToGlobal(QPoint(5, 60))
    menus = window.top.menus.findChildren(QMenu)
    button = window.findChild(QToolButton, "training_curves_export")
    assert isinstance(button, QToolButton)
    for menu in [*menus, button.menu()]:
        yield f"menu {menu.title()}", lambda menu=menu: menu.popup(place)  # type: ignore[misc]


def panels_of(window: MainWindow) -> Iterator[Opener]:
    for title, dock in window.docks.items():
        yield title, dock.raise_
        for box in [box for box in dock.findChildren(QComboBox) if box.isVisible()][:1]:
            yield f"list {box.objectName()}", box.showPopup
    yield "floating", lambda: window.docks["Live"].setFloating(True)


@pytest.mark.slow
def test_f12_makes_the_laser_dark_whatever_is_open(
    qtbot: QtBot, window: MainWindow, laser: LaserServer
) -> None:
    tried = 0
    for name, opens in chain(dialogs_of(window), menus_of(window), panels_of(window)):
        light(qtbot, window, laser)
        opens()
        QApplication.processEvents()
        assert QApplication.activeModalWidget() is None, name
        QTest.keyClick(in_front(window), Qt.Key.Key_F12)
        dark(qtbot, laser)
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        close_all(window)
        tried += 1
    assert tried >= 20


def test_the_red_button_acts_while_dialogs_are_open(
    qtbot: QtBot, window: MainWindow, laser: LaserServer
) -> None:
    for _, opens in dialogs_of(window):
        opens()
    assert len(opened(window)) >= 5
    light(qtbot, window, laser)
    qtbot.mouseClick(window.top.safe, Qt.MouseButton.LeftButton)
    dark(qtbot, laser)


def test_making_safe_waits_for_no_job_and_no_command(
    qtbot: QtBot, window: MainWindow, laser: LaserServer
) -> None:
    light(qtbot, window, laser)
    start(window, STUCK_BATCH)
    qtbot.waitUntil(lambda: window.busy, timeout=PATIENCE_MS)
    for _ in range(20):
        window.panels.bench.emission_wanted.emit(True)  # waits behind the job, for ever
    QTest.keyClick(window, Qt.Key.Key_F12)
    dark(qtbot, laser)
    assert window.busy, "the job had not come to its next event"
    window._process._process.kill()  # type: ignore[union-attr]


def test_closing_asks_beside_the_window_and_names_the_job(
    qtbot: QtBot, window: MainWindow, laser: LaserServer
) -> None:
    start(window, 7)
    qtbot.waitUntil(lambda: window.busy, timeout=PATIENCE_MS)
    window.close()
    window.close()
    assert window.isVisible() and len(opened(window)) == 1
    question = answer(window, "dialog_no")
    assert "training is running" in question and "run.h5" in question
    assert window.isVisible() and window.busy
    light(qtbot, window, laser)
    window.close()
    answer(window, "dialog_yes")
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    assert not laser.on
