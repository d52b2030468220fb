"""The window fits its screen; notices lie over it; the log follows and has every action with its value."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMainWindow
from pytestqt.qtbot import QtBot

from drivers.types import Roi
from gui.command_log import describe
from gui.panels.log_panel import LogPanel
from gui.screen_fit import ScreenFit, open_on_screen
from gui.widgets.notice_bar import NoticeBar
from labdiff.engine import commands as ask


def test_a_window_opens_within_its_screen_and_comes_back_onto_it(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    screen = QGuiApplication.primaryScreen()
    room = screen.availableGeometry()
    open_on_screen(window, screen)
    assert room.contains(window.geometry())
    ScreenFit(window)
    window.resize(room.width() + 500, room.height() + 300)
    window.move(room.topLeft() + QPoint(200, 100))
    window.show()
    qtbot.waitUntil(lambda: room.contains(window.frameGeometry()), timeout=600_000)


def test_a_notice_lies_over_the_lower_edge_and_moves_nothing(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    label = QLabel("in the middle")
    window.setCentralWidget(label)
    bar = NoticeBar(window)
    window.resize(600, 400)
    window.show()
    before = label.geometry()
    bar.show_notice("camera: unplugged " * 20, "a trace")
    assert label.geometry() == before
    assert window.rect().contains(bar.geometry()) and bar.geometry().bottom() > 380
    window.resize(500, 300)
    qtbot.waitUntil(lambda: window.rect().contains(bar.geometry()), timeout=600_000)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (ask.Connect("mock", 3), "connect: bench mock, seed 3"),
        (ask.SetExposure(0.125), "exposure: 0.125 ms"),
        (ask.SetPower(2.5), "power: 2.5 mW"),
        (ask.SetEmission(True), "laser: on"),
        (ask.SetRoi(Roi(1, 2, 3, 4)), "ROI: top 1, left 2, 4 x 3 px"),
        (ask.SetRoi(None), "ROI: the whole sensor"),
        (ask.SetLive(False), "live view: off"),
        (ask.ShowPhase(None), "pattern: flat"),
        (ask.ShowPhase(np.full((2, 3), 1.5, np.float32)), "pattern: 3 x 2 pixels, 1.5 ... 1.5 rad"),
        (ask.Stop(), "stop"),
        (ask.Quit(), "disconnect"),
        (ask.HandDone(1, True), ""),
    ],
)
def test_every_action_is_described_with_its_value(command: ask.Command, line: str) -> None:
    assert describe(command) == line


def test_the_log_follows_unless_the_user_reads_further_up(qtbot: QtBot) -> None:
    panel = LogPanel()
    qtbot.addWidget(panel)
    panel.resize(400, 150)
    panel.show()
    for number in range(100):
        panel.add(f"line {number}")
    bar = panel.text.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(3)
    panel.add("another")
    assert bar.value() == 3
    panel.filter.setText("line")
    panel.filter.clear()
    assert bar.value() == bar.maximum()
