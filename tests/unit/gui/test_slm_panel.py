from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.slm_panel import SlmPanel
from gui.slm_patterns.pattern_file import READ_FILTER, WRITE_FILTER, load_pattern
from gui.slm_patterns.phase_patterns import blaze, lens, zernike
from tests.unit.gui.file_choice import choose

SHAPE = (60, 96)


@pytest.fixture
def panel(qtbot: QtBot) -> SlmPanel:
    found = SlmPanel()
    qtbot.addWidget(found)
    found.resize(1300, 600)
    found.show()
    found.set_bench(SHAPE, 850.0, 9.2)
    settle(qtbot, found)
    return found


def settle(qtbot: QtBot, panel: SlmPanel) -> None:
    qtbot.waitUntil(lambda: not panel._background.busy, timeout=600_000)


def wanted(panel: SlmPanel) -> list[np.ndarray]:
    received: list[np.ndarray] = []
    panel.pattern_wanted.connect(received.append)
    return received


def type_in(qtbot: QtBot, widget: QWidget, text: str) -> None:
    widget.setFocus()
    qtbot.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(widget, text)
    qtbot.keyClick(widget, Qt.Key.Key_Return)


def test_a_blaze_goes_to_the_slm_when_asked(qtbot: QtBot, panel: SlmPanel) -> None:
    received = wanted(panel)
    type_in(qtbot, panel.tests.period, "8")
    settle(qtbot, panel)
    assert received == [], "a preview alone sends nothing"
    assert "deflects 850 nm by 11.549 mrad" in panel.tests.explanation.text().lower()
    qtbot.mouseClick(panel.show_it, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(received[0], blaze(SHAPE, 8.0))


def test_follow_sends_every_change(qtbot: QtBot, panel: SlmPanel) -> None:
    received = wanted(panel)
    panel.follow.setChecked(True)
    panel.tests.kind.setCurrentText("Lens")
    settle(qtbot, panel)
    type_in(qtbot, panel.tests.focal, "250")
    settle(qtbot, panel)
    np.testing.assert_array_equal(received[-1], lens(SHAPE, 250.0, 850.0, 9.2))
    type_in(qtbot, panel.tests.focal, "0")
    settle(qtbot, panel)
    assert "focal length of 0 mm" in panel.notice.text() and panel.notice.isVisible()


def test_zernike_sliders_in_waves_and_radians(qtbot: QtBot, panel: SlmPanel) -> None:
    panel.tests.kind.setCurrentText("Zernike")
    sliders = panel.tests.zernike
    sliders._sliders[4].setValue(50)
    type_in(qtbot, sliders._boxes[5], "-0.123")
    assert sliders.waves == {4: 0.5, 5: -0.123}
    sliders.unit.setCurrentText("rad")
    assert sliders._boxes[4].text() == "3.14159 rad"
    assert sliders.waves == {4: 0.5, 5: -0.123}
    settle(qtbot, panel)
    np.testing.assert_array_equal(panel.preview.phase_rad, zernike(SHAPE, {4: 0.5, 5: -0.123}))
    qtbot.mouseClick(sliders.reset, Qt.MouseButton.LeftButton)
    assert sliders.waves == {} and sliders._sliders[5].value() == 0


def test_a_wheel_changes_nothing(panel: SlmPanel, qapp: QApplication) -> None:
    sliders = panel.tests.zernike
    widgets = (sliders._boxes[4], sliders._sliders[4], panel.tests.period, panel.tests.kind)
    for widget, turn in product(widgets, (120, -120)):
        before = panel.tests.period.value(), panel.tests.kind.currentText(), sliders.waves
        widget.setFocus()
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        qapp.sendEvent(widget, event)
        after = panel.tests.period.value(), panel.tests.kind.currentText(), sliders.waves
        assert before == after, widget.objectName()


def test_layer_sets_are_shown_but_a_layer_is_not_a_panel(qtbot: QtBot, panel: SlmPanel) -> None:
    layers = np.random.default_rng(0).uniform(0, 6, (2, 3, 20, 30)).astype(np.float32)
    panel.set_layer_sets(layers)
    table = panel.gallery.table
    assert (table.rowCount(), table.columnCount()) == (2, 3)
    panel.tabs.setCurrentIndex(1)
    place = table.visualItemRect(table.item(1, 2)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.preview_label.text() == "Layer set 2, layer 3, 30 x 20 pixels"
    np.testing.assert_array_equal(panel.preview.phase_rad, layers[1, 2])
    assert not panel.show_it.isEnabled() and "part of the panel" in panel.show_it.toolTip()


def test_files_and_what_is_wrong_with_them(qtbot: QtBot, panel: SlmPanel, tmp_path: Path) -> None:
    panel.set_pattern(blaze(SHAPE, 7.0), "blaze")
    panel.save_file(tmp_path / "b.npy")
    settle(qtbot, panel)
    np.testing.assert_array_equal(load_pattern(tmp_path / "b.npy", SHAPE), blaze(SHAPE, 7.0))
    panel.load_file(tmp_path / "b.npy")
    settle(qtbot, panel)
    assert panel.preview_label.text() == "b.npy, 96 x 60 pixels" and panel.show_it.isEnabled()
    np.save(tmp_path / "small.npy", np.zeros((3, 4)))
    panel.load_file(tmp_path / "small.npy")
    settle(qtbot, panel)
    assert "3 x 4 (height x width); the SLM has 60 x 96" in panel.notice.text()
    panel.save_file(tmp_path / "absent" / "b.npy")
    settle(qtbot, panel)
    assert "cannot be written" in panel.notice.text()


def test_a_file_is_chosen_by_the_endings_that_are_read_and_many_turns_are_remarked_on(
    qtbot: QtBot, panel: SlmPanel, tmp_path: Path
) -> None:
    qtbot.mouseClick(panel.load, Qt.MouseButton.LeftButton)
    (dialog,) = panel.findChildren(QFileDialog)
    assert dialog.nameFilters() == [READ_FILTER] and "*.bmp" in READ_FILTER
    np.save(tmp_path / "degrees.npy", np.linspace(0.0, 360.0, SHAPE[0] * SHAPE[1]).reshape(SHAPE))
    choose(panel, tmp_path / "degrees.npy")
    settle(qtbot, panel)
    assert panel.show_it.isEnabled()
    assert "degrees.npy: spans 57.3 turns" in panel.notice.text()
    panel.set_pattern(blaze(SHAPE, 8.0))
    qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)
    choose(panel, tmp_path / "saved")
    settle(qtbot, panel)
    np.testing.assert_array_equal(load_pattern(tmp_path / "saved.npy", SHAPE), blaze(SHAPE, 8.0))
    assert WRITE_FILTER == "Patterns (*.npy *.png)"


def test_while_a_job_owns_the_slm(qtbot: QtBot, panel: SlmPanel) -> None:
    received, flat = wanted(panel), []
    panel.flat_wanted.connect(lambda: flat.append(1))
    qtbot.mouseClick(panel.flat, Qt.MouseButton.LeftButton)
    panel.set_busy("Training writes the SLM.")
    panel.follow.setChecked(True)
    type_in(qtbot, panel.tests.period, "8")
    settle(qtbot, panel)
    qtbot.mouseClick(panel.flat, Qt.MouseButton.LeftButton)
    assert flat == [1] and received == []
    assert panel.show_it.toolTip() == "Training writes the SLM."
    panel.set_busy("")
    assert panel.show_it.isEnabled()
    panel.set_bench(None)
    assert not panel.flat.isEnabled() and "no bench" in panel.displayed_label.text()


def test_the_value_under_the_pointer(panel: SlmPanel) -> None:
    panel.set_pattern(blaze(SHAPE, 8.0), "blaze")
    view = panel.displayed
    scene = view._plot.vb.mapViewToScene(QPointF(10.5, 3.5))
    view._point(scene)
    value = float(blaze(SHAPE, 8.0)[3, 10])
    assert view.read_out.text() == f"row 3, column 10: {value:.3f} rad"
    view._point(view._plot.vb.mapViewToScene(QPointF(-1.0, 3.5)))
    assert view.read_out.text() == ""
