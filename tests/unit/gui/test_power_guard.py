"""A power that is raised more than fivefold is asked for first, and nothing is sent until the answer."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPushButton
from pytestqt.qtbot import QtBot

from gui.panels.bench_panel import BenchPanel
from gui.widgets.number_field import NumberField
from labdiff.engine.status import BenchState, DeviceState, Setting


def state(power_mw: float) -> BenchState:
    power = Setting("power", power_mw, power_mw, "mW", 0.0, 50.0)
    laser = DeviceState("laser", "mock", "mock laser", True, (power,))
    return BenchState("mock", (laser,), emission=False, live=False)


@pytest.fixture
def panel(qtbot: QtBot) -> BenchPanel:
    made = BenchPanel("mock", 0)
    qtbot.addWidget(made)
    made.show()
    made.show_state(state(2.0))
    return made


def enter(qtbot: QtBot, panel: BenchPanel, text: str) -> NumberField:
    field = panel.findChild(NumberField, "laser_power")
    assert field is not None
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    return field


def question(panel: BenchPanel) -> QDialog | None:
    open_now = [dialog for dialog in panel.findChildren(QDialog) if dialog.isVisible()]
    assert all(not dialog.isModal() for dialog in open_now)
    return open_now[0] if open_now else None


def answer(panel: BenchPanel, name: str) -> None:
    dialog = question(panel)
    assert dialog is not None
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    button.click()


def sent_by(panel: BenchPanel) -> list[float]:
    sent: list[float] = []
    panel.power_wanted.connect(sent.append)
    return sent


def test_up_to_fivefold_is_sent_at_once(qtbot: QtBot, panel: BenchPanel) -> None:
    sent = sent_by(panel)
    enter(qtbot, panel, "10")
    assert sent == [10.0] and question(panel) is None
    enter(qtbot, panel, "0,1")
    assert sent == [10.0, 0.1]


def test_more_is_asked_for_and_sent_after_yes(qtbot: QtBot, panel: BenchPanel) -> None:
    sent = sent_by(panel)
    field = enter(qtbot, panel, "10.1")
    assert not sent and question(panel) is not None
    panel.show_state(state(2.0))
    assert field.value() == 10.1, "the state of the device does not answer the question"
    answer(panel, "dialog_yes")
    assert sent == [10.1]


def test_no_and_closing_keep_the_power(qtbot: QtBot, panel: BenchPanel) -> None:
    sent = sent_by(panel)
    field = enter(qtbot, panel, "20")
    answer(panel, "dialog_no")
    assert not sent and field.value() == 2.0
    enter(qtbot, panel, "30")
    dialog = question(panel)
    assert dialog is not None
    dialog.close()
    assert not sent and field.value() == 2.0


def test_a_job_and_another_bench_withdraw_the_question(qtbot: QtBot, panel: BenchPanel) -> None:
    sent = sent_by(panel)
    field = enter(qtbot, panel, "20")
    panel.set_busy(True)
    assert question(panel) is None and field.value() == 2.0
    panel.set_busy(False)
    enter(qtbot, panel, "20")
    panel.show_state(dataclasses.replace(state(2.0), devices=()))
    assert question(panel) is None and not sent


def test_a_later_entry_replaces_the_question(qtbot: QtBot, panel: BenchPanel) -> None:
    sent = sent_by(panel)
    enter(qtbot, panel, "20")
    enter(qtbot, panel, "40")
    answer(panel, "dialog_yes")
    assert sent == [40.0] and question(panel) is None
