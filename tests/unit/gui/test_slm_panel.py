from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from drivers.types import Roi
from gui.command_log import describe
from gui.panels.slm_panel import SlmPanel
from gui.slm_patterns.pattern_file import READ_FILTER, WRITE_FILTER, load_pattern
from gui.slm_patterns.phase_patterns import blaze, lens, zernike
from labdiff.engine import commands as ask
from labdiff.engine.status import ADDED, CORRECTION, BenchState, DeviceState, Setting
from labdiff.events import HologramDisplayed, HologramStep
from tests.unit.gui.file_choice import choose
from tests.unit.gui.number_typing import type_in

SHAPE = (60, 96)
PATCHES = (Roi(10, 4, 20, 30), Roi(10, 50, 20, 30))


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

    def take(command: ask.Command) -> None:
        if isinstance(command, ask.ShowPhase) and command.phase_rad is not None:
            received.append(command.phase_rad)

    panel.command_wanted.connect(take)
    return received


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
    received: list[np.ndarray] = wanted(panel)
    flat: list[ask.Command] = []
    panel.command_wanted.connect(flat.append)
    qtbot.mouseClick(panel.flat, Qt.MouseButton.LeftButton)
    panel.set_busy("Training writes the SLM.")
    panel.follow.setChecked(True)
    type_in(qtbot, panel.tests.period, "8")
    settle(qtbot, panel)
    qtbot.mouseClick(panel.flat, Qt.MouseButton.LeftButton)
    assert flat == [ask.ShowPhase(None)] and received == []
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


def with_patches(qtbot: QtBot, panel: SlmPanel) -> None:
    panel.set_patches(PATCHES, input_patch=True)
    settle(qtbot, panel)


def test_a_pattern_goes_to_a_patch_and_the_rest_stays(qtbot: QtBot, panel: SlmPanel) -> None:
    with_patches(qtbot, panel)
    texts = [panel.tests.target.itemText(n) for n in range(panel.tests.target.count())]
    assert texts == ["Whole panel", "Every patch", "Input", "Layer 1"]
    panel.set_pattern(blaze(SHAPE, 7.0), "blaze")
    panel.tests.target.setCurrentText("Layer 1")
    panel.tests.kind.setCurrentText("Zernike")
    panel.tests.zernike._boxes[4].setValue(0.5)
    settle(qtbot, panel)
    sent: list[ask.Command] = []
    panel.command_wanted.connect(sent.append)
    qtbot.mouseClick(panel.show_it, Qt.MouseButton.LeftButton)
    (shown,) = sent
    assert isinstance(shown, ask.ShowPhase) and shown.name == "Zernike on layer 1"
    assert shown.phase_rad is not None
    expected = blaze(SHAPE, 7.0)
    expected[10:30, 50:80] = zernike((20, 30), {4: 0.5})
    np.testing.assert_array_equal(shown.phase_rad, expected)
    assert "largest circle in the patch" in panel.tests.explanation.text()
    panel.tests.target.setCurrentText("Every patch")
    settle(qtbot, panel)
    preview = panel.preview.phase_rad
    assert preview is not None
    np.testing.assert_array_equal(preview[10:30, 4:34], zernike((20, 30), {4: 0.5}))


def test_patches_are_outlined_on_panels_and_not_on_layers(qtbot: QtBot, panel: SlmPanel) -> None:
    with_patches(qtbot, panel)
    panel.set_pattern(blaze(SHAPE, 7.0), "blaze")
    outlines = panel.displayed._outlines
    assert [label.toPlainText() for _, label in outlines] == ["input", "layer 1"]
    assert all(rect.isVisible() for rect, _ in outlines)
    panel.preview.show_phase(np.zeros((20, 30), np.float32))
    assert not any(rect.isVisible() for rect, _ in panel.preview._outlines)
    panel.reset()
    assert panel.displayed._outlines == [] and panel.tests.target.count() == 1


def test_a_whole_layer_set_can_be_shown(qtbot: QtBot, panel: SlmPanel) -> None:
    received = wanted(panel)
    layers = np.random.default_rng(0).uniform(0, 6, (2, 1, 20, 30)).astype(np.float32)
    panel.set_layer_sets(layers)
    panel.tabs.setCurrentIndex(1)
    qtbot.mouseClick(panel.gallery.whole, Qt.MouseButton.LeftButton)
    assert "this SLM has 0 of" in panel.notice.text()
    with_patches(qtbot, panel)
    panel.gallery.table.setCurrentCell(1, 0)
    qtbot.mouseClick(panel.gallery.whole, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.show_it, Qt.MouseButton.LeftButton)
    expected = np.zeros(SHAPE, np.float32)
    expected[10:30, 50:80] = layers[1, 0]
    np.testing.assert_array_equal(received[-1], expected)
    panel.set_layer_sets(np.zeros((1, 3, 20, 30), np.float32))
    qtbot.mouseClick(panel.gallery.whole, Qt.MouseButton.LeftButton)
    assert "has 3 layers of 20 x 30 pixels; this SLM has 1 of 20 x 30" in panel.notice.text()


def test_a_file_of_another_size_is_placed_where_it_is_asked_for(
    qtbot: QtBot, panel: SlmPanel, tmp_path: Path
) -> None:
    np.save(tmp_path / "small.npy", np.full((10, 20), 2.0))
    panel.tabs.setCurrentIndex(2)
    page = panel.file
    page.other_size.setChecked(True)
    panel.load_file(tmp_path / "small.npy")
    settle(qtbot, panel)
    assert "small.npy, 20 x 10 pixels" in page.found.text()
    preview = panel.preview.phase_rad
    assert preview is not None and preview.sum() == 400.0 and preview[25, 38] == 2.0, "centred"
    type_in(qtbot, page.scale, "2")
    type_in(qtbot, page.top, "0")
    type_in(qtbot, page.left, "-10")
    preview = panel.preview.phase_rad
    assert preview is not None and (preview[:20, :30] == 2.0).all() and preview.sum() == 1200.0
    qtbot.mouseClick(page.fit, Qt.MouseButton.LeftButton)
    preview = panel.preview.phase_rad
    assert preview is not None and page.scale.value() == 4.8 and (preview[6:54] == 2.0).all()
    type_in(qtbot, page.top, "500")
    assert "nothing of it lies on the panel" in panel.notice.text()


def test_the_flatness_map_is_switched_where_there_is_one(qtbot: QtBot, panel: SlmPanel) -> None:
    assert (
        not panel.correction.isEnabled() and "names no flatness map" in panel.correction.toolTip()
    )
    sent: list[ask.Command] = []
    panel.command_wanted.connect(sent.append)
    setting = Setting(CORRECTION, None, None, "", text=ADDED)
    slm = DeviceState("slm", "screen", "panel", True, (setting,))
    panel.show_state(BenchState("bench", (slm,), False, False))
    assert panel.correction.isChecked()
    qtbot.mouseClick(panel.correction, Qt.MouseButton.LeftButton)
    assert sent == [ask.SetCorrection(False)]
    assert describe(sent[0]) == "SLM: the maker's flatness map is not added"


def test_a_hologram_is_asked_for_shown_on_its_way_and_stopped(
    qtbot: QtBot, panel: SlmPanel, tmp_path: Path
) -> None:
    with_patches(qtbot, panel)
    panel.tabs.setCurrentIndex(3)
    page = panel.hologram
    sent: list[ask.Command] = []
    panel.command_wanted.connect(sent.append)
    page.text.setText("hi")
    type_in(qtbot, page.steps, "50")
    page.show_text.click()
    (asked,) = sent
    assert isinstance(asked, ask.ShowHologram) and asked.steps == 50 and asked.name == "text 'hi'"
    assert asked.target.shape == (20, 30) and "asking the twin" in page.said.text()
    panel.set_busy("The bench is busy: hologram.")
    assert page.stop.isEnabled() and not page.show_text.isEnabled()
    page.show_step(HologramStep(9, 50, 0.75), np.ones((20, 30), np.float32))
    assert page.progress.value() == 10 and "0.750" in page.said.text()
    page.stop.click()
    assert sent[-1] == ask.Stop() and "stopping" in page.said.text()
    panel.set_busy("")
    page.show_displayed(HologramDisplayed(np.zeros((2, 20, 30), np.float32), 0.98, False))
    assert "0.980" in page.said.text() and "calibrate" in page.said.text()
    page.text.setText("")
    page.show_text.click()
    assert page.said.text().startswith("Text: is empty")
    page.load(tmp_path / "absent.png")
    assert "absent.png" in page.said.text()
    Image.new("L", (8, 8), 255).save(tmp_path / "white.png")
    page.load(tmp_path / "white.png")
    assert isinstance(sent[-1], ask.ShowHologram) and sent[-1].name == "white.png"
    panel.reset()
    assert page.said.text() == "" and not page.show_text.isEnabled()
