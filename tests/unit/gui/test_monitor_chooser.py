from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from drivers.slm.monitor import Monitor
from gui.widgets.monitor_chooser import MonitorChooser
from tests.contracts.screens import offscreen

SHAPE = (1200, 1920)
DESK = Monitor("HDMI-1", "DELL", "U2412M", "77", SHAPE, 1.0, 60.0, True)
PANEL = Monitor("HDMI-2", "HOLOEYE", "PLUTO", "6010", SHAPE, 1.0, 60.0, False)
SMALL = Monitor("DP-1", "", "", "", (1080, 1920), 1.5, 60.0, False)


@pytest.fixture
def chooser(qtbot: QtBot) -> MonitorChooser:
    found = MonitorChooser()
    qtbot.addWidget(found)
    found.resize(500, 300)
    found.set_shape(SHAPE)
    found.set_monitors([DESK, PANEL, SMALL])
    found.show()
    return found


def click(chooser: MonitorChooser, row: int) -> None:
    place = chooser.list.visualItemRect(chooser.list.item(row)).center()
    QTest.mouseClick(chooser.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))


def test_only_a_monitor_that_can_carry_the_slm_is_chosen(chooser: MonitorChooser) -> None:
    received: list[str] = []
    chooser.chosen.connect(received.append)
    for row, message in ((0, "primary"), (2, "1920 x 1080 pixels and the SLM 1920 x 1200")):
        click(chooser, row)
        item = chooser.list.item(row)
        assert message in item.text() and message in item.toolTip()
        assert not item.flags() & Qt.ItemFlag.ItemIsEnabled
    assert received == []
    click(chooser, 1)
    assert received == ["manufacturer=HOLOEYE; model=PLUTO; serial=6010"] == [chooser.address]
    assert "serial 6010" in chooser.list.item(1).text()


def test_the_bench_files_monitor_is_found_at_another_connector(chooser: MonitorChooser) -> None:
    chooser.select(PANEL.address)
    chooser.set_monitors([DESK, replace(PANEL, name="DP-4")])
    assert [item.text()[:8] for item in chooser.list.selectedItems()] == ["2   DP-4"]
    assert not chooser.notice.isVisible()
    chooser.set_monitors([DESK, SMALL])
    assert "serial=6010' cannot be used now" in chooser.notice.text()
    chooser.select("colour=red")
    assert chooser.list.selectedItems() == []


def test_monitors_are_listed_by_another_process(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chooser = MonitorChooser()
    qtbot.addWidget(chooser)
    with offscreen(tmp_path, (64, 160), monkeypatch):
        qtbot.mouseClick(chooser.refresh_button, Qt.MouseButton.LeftButton)
        assert not chooser.refresh_button.isEnabled()
        qtbot.waitUntil(chooser.refresh_button.isEnabled, timeout=600_000)
        names = [chooser.list.item(row).text() for row in range(chooser.list.count())]
        assert names[0].startswith("1   desk") and names[1].startswith("2   panel")
        monkeypatch.setenv("QT_QPA_PLATFORM", "nowhere")
        qtbot.mouseClick(chooser.identify, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(chooser.identify.isEnabled, timeout=600_000)
        assert "no display to look at" in chooser.notice.text()
