"""The desk of a DMD: what is asked for is what is sent, and it says what is shown and since when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gui.command_log import describe
from gui.panels.bench_panel import BenchPanel
from gui.panels.dmd_desk import DmdDesk
from gui.slm_patterns.input_file import checker, load_input, uniform
from labdiff.engine.commands import ShowInput
from labdiff.engine.status import BenchState, DeviceState, Setting
from labdiff.errors import UserError

SHAPE = (6, 8)
DMD = DeviceState("dmd", "mock", "mock DMD", True, (Setting("settling", None, 0.1, "ms"),))


def press(owner: BenchPanel | DmdDesk, name: str) -> None:
    button = owner.findChild(QPushButton, name)
    assert button is not None and button.isEnabled()
    button.click()


def test_patterns_have_the_shape_and_amplitudes_of_a_dmd() -> None:
    assert uniform(SHAPE, 1.0).sum() == 48.0 and uniform(SHAPE, 0.0).sum() == 0.0
    squares = checker(SHAPE, 2)
    assert squares[0, 0] == squares[1, 1] == 1.0 and squares[0, 2] == squares[2, 0] == 0.0
    assert squares.mean() == 0.5


def test_a_picture_is_fitted_and_an_array_is_taken_as_it_is(tmp_path: Path) -> None:
    Image.new("L", (30, 30), 255).save(tmp_path / "white.png")
    field = load_input(tmp_path / "white.png", SHAPE)
    assert field.shape == SHAPE and field[:, 1:7].min() == 1.0 and field[:, 0].max() == 0.0
    amplitudes = np.linspace(0.0, 1.0, 48, dtype=np.float32).reshape(SHAPE)
    np.save(tmp_path / "field.npy", amplitudes)
    np.testing.assert_array_equal(load_input(tmp_path / "field.npy", SHAPE), amplitudes)
    np.save(tmp_path / "large.npy", 2.0 * amplitudes)
    np.save(tmp_path / "other.npy", amplitudes.T)
    (tmp_path / "text.npy").write_text("no array")
    for name, word in (("large", "beyond 0 ... 1"), ("other", "of shape"), ("text", "text.npy")):
        with pytest.raises(UserError, match=word):
            load_input(tmp_path / f"{name}.npy", SHAPE)
    with pytest.raises(UserError, match="allowed are"):
        load_input(tmp_path / "field.h5", SHAPE)


def test_every_button_sends_its_field(qtbot: QtBot, tmp_path: Path) -> None:
    desk = DmdDesk(SHAPE)
    qtbot.addWidget(desk)
    sent: list[tuple[np.ndarray, str]] = []
    desk.wanted.connect(lambda field, name: sent.append((field, name)))
    for name in ("dmd_on", "dmd_off", "dmd_checker"):
        press(desk, name)
    assert [name for _, name in sent] == ["all on", "all off", "checker of 8 px"]
    assert [float(field.mean()) for field, _ in sent[:2]] == [1.0, 0.0]
    desk.cell.setFocus()
    desk.cell.selectAll()
    qtbot.keyClicks(desk.cell, "2.5")
    qtbot.keyClick(desk.cell, Qt.Key.Key_Return)
    press(desk, "dmd_checker")
    assert len(sent) == 3, "nothing is sent for a number that is not understood"
    desk.load(tmp_path / "absent.png")
    assert "not shown" in desk.displayed.text() and len(sent) == 3


def test_the_bench_panel_has_the_desk_of_its_dmd(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 0)
    qtbot.addWidget(panel)
    state = BenchState("paper", (DMD,), emission=False, live=False, input_shape=SHAPE)
    panel.show_state(state)

    def displayed() -> str:
        label = panel.findChild(QLabel, "dmd_displayed")
        assert label is not None
        return label.text()

    assert "dark" in displayed(), "a DMD to which nothing was sent"
    with qtbot.waitSignal(panel.input_wanted) as asked:
        press(panel, "dmd_off")
    assert asked.args is not None and describe(ShowInput(*asked.args)) == "DMD: all off"
    panel.show_input("all off")
    assert displayed().startswith("all off, since") and displayed().endswith("; dark")
    panel.set_busy(True)
    assert displayed() == "what the job shows"
    panel.set_busy(False)
    assert "left by the job" in displayed()
    panel.show_state(BenchState("mock", (), False, False))
    assert panel.findChild(DmdDesk) is None
