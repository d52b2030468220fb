from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from drivers.types import Frame, Roi
from gui import style
from gui.live.levels import Levels
from gui.live.view import LiveView
from gui.process.frame_feed import FrameFeed
from gui.process.frame_ring import FrameRing, NumberedFrame
from tests.unit.gui.live_frames import SENSOR, entry_of

WHOLE = Roi(0, 0, *SENSOR)


@pytest.fixture
def view(qtbot: QtBot, tmp_path: Path) -> Iterator[LiveView]:
    made = LiveView()
    qtbot.addWidget(made)
    made.resize(900, 800)
    made.set_folder(tmp_path)
    made.set_bench("two-layer bench")
    made.set_camera(SENSOR, 12)
    made.controls.colours.setCurrentText("grey")  # in which a level is easily told
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.finish_recordings()


def point(view: LiveView, row: float, column: float) -> QPoint:
    """On the canvas, of the middle of a sensor pixel."""
    x, y = view.canvas.viewport.point(row + 0.5, column + 0.5)
    return QPoint(round(x), round(y))


def shown(qtbot: QtBot, view: LiveView, entry: NumberedFrame) -> None:
    with qtbot.waitSignal(view.canvas.painted):
        view.show_frame(entry)


def colour_at(view: LiveView, row: float, column: float) -> QColor:
    return view.canvas.grab().toImage().pixelColor(point(view, row, column))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_are_painted_where_they_lie(qtbot: QtBot, view: LiveView, dtype: type) -> None:
    view.set_camera(SENSOR, 8)
    pixels = np.random.default_rng(0).integers(0, 255, (6, 8)).astype(dtype)
    shown(qtbot, view, NumberedFrame(1, Frame(pixels, 1.0, 0.0, 1, None, 0.0, Roi(30, 40, 6, 8))))
    for row in range(6):
        for column in range(8):
            found = colour_at(view, 30 + row, 40 + column)
            assert abs(found.red() - int(pixels[row, column])) <= 2


def test_saturated_pixels_are_marked_at_the_cameras_own_maximum(
    qtbot: QtBot, view: LiveView
) -> None:
    view.set_camera(SENSOR, 12, step_counts=16)
    pixels = np.full((6, 8), 16 * 4094, np.uint16)
    pixels[2, 3] = 16 * 4095
    shown(qtbot, view, NumberedFrame(1, Frame(pixels, 1.0, 0.0, 1, None, 1 / 48, Roi(0, 0, 6, 8))))
    assert colour_at(view, 2, 3) == QColor(style.theme().saturated)
    assert colour_at(view, 2, 4) != QColor(style.theme().saturated)
    qtbot.mouseClick(view.controls.saturation, Qt.MouseButton.LeftButton)
    assert colour_at(view, 2, 3) == QColor("white")


def test_saturated_pixels_are_marked_from_the_level_at_which_counts_end(
    qtbot: QtBot, view: LiveView
) -> None:
    view.set_camera(SENSOR, 16, full_counts=3900)
    pixels = np.full((6, 8), 3899, np.uint16)
    pixels[2, 3] = 3900
    shown(qtbot, view, NumberedFrame(1, Frame(pixels, 1.0, 0.0, 1, None, 1 / 48, Roi(0, 0, 6, 8))))
    assert colour_at(view, 2, 3) == QColor(style.theme().saturated)
    assert colour_at(view, 2, 4) != QColor(style.theme().saturated)


def test_a_lone_saturated_pixel_shows_in_a_small_picture(qtbot: QtBot, view: LiveView) -> None:
    view.set_camera((2000, 3000), 12)
    pixels = np.zeros((2000, 3000), np.uint16)
    pixels[1001, 1501] = 4095
    fraction = 1 / pixels.size
    frame = Frame(pixels, 1.0, 0.0, 1, None, fraction, Roi(0, 0, 2000, 3000))
    shown(qtbot, view, NumberedFrame(1, frame))
    assert view.canvas.scale < 0.5
    image = view.canvas.grab().toImage()
    at = point(view, 1001, 1501)
    near = [image.pixelColor(at + QPoint(i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    assert QColor(style.theme().saturated) in near


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.3, 0.11])
def test_a_smaller_picture_lies_where_the_larger_does(
    qtbot: QtBot, view: LiveView, scale: float
) -> None:
    view.set_camera((1200, 1920), 8)
    pixels = np.zeros((1200, 1920), np.uint16)
    pixels[300:900, 500:1300] = 255
    frame = Frame(pixels, 1.0, 0.0, 1, None, 0.0, Roi(0, 0, 1200, 1920))
    shown(qtbot, view, NumberedFrame(1, frame))
    view.canvas._zoom(scale / view.canvas.scale)
    edge = 3.0 / scale  # a pixel's mixing with its neighbours, and rounding, on the screen
    for row, column in ((300, 900), (900, 900), (600, 500), (600, 1300)):
        for far in (-edge, edge):
            at = (row + far, column) if column == 900 else (row, column + far)
            inside = 300 <= at[0] < 900 and 500 <= at[1] < 1300
            if view.canvas.rect().contains(point(view, *at)):
                assert colour_at(view, *at) == QColor("white" if inside else "black")


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 0), np.uint16),
        np.full((12, 16), np.nan, np.float32),
        np.full((12, 16), np.inf),
        np.zeros((12, 16), np.uint8),
        np.zeros((1, 1), np.uint16),
    ],
)
@pytest.mark.parametrize("mode", ["fixed", "min/max", "percentile"])
def test_frames_with_nothing_in_them_raise_nothing(
    qtbot: QtBot, view: LiveView, pixels: np.ndarray, mode: str
) -> None:
    view.controls.mode.setCurrentText(mode)
    view.controls.crosshair.setChecked(True)
    roi = Roi(0, 0, *pixels.shape)
    for number in (1, 2):
        view.show_frame(NumberedFrame(number, Frame(pixels, 1.0, 0.0, 1, None, 0.0, roi)))
    qtbot.waitUntil(lambda: "acquired 2" in view.status.counters.text())


def test_levels_stay_with_their_mode(qtbot: QtBot, view: LiveView) -> None:
    view.show_frame(entry_of(1))
    view.controls.mode.setFocus()
    qtbot.keyClicks(view.controls.mode, "min")
    assert view._levels == Levels(1, 60)
    view.show_frame(entry_of(501))
    qtbot.waitUntil(lambda: view._levels == Levels(501, 560))
    assert view.controls.low.value() == 501
    view.controls.mode.setCurrentText("fixed")
    assert view._levels == Levels(0, 4095)
    view.controls.high.setFocus()
    view.controls.high.selectAll()
    qtbot.keyClicks(view.controls.high, "700")
    qtbot.keyClick(view.controls.high, Qt.Key.Key_Return)
    view.show_frame(entry_of(901))
    qtbot.waitUntil(lambda: view._analysed is view._entry)
    assert view._levels == Levels(0, 700)


def test_dragging_a_level_in_the_histogram_fixes_it(view: LiveView) -> None:
    view.controls.mode.setCurrentText("min/max")
    view.show_frame(entry_of(1))
    line = view.histogram._lines[1]
    line.setValue(300)
    line.sigDragged.emit(line)
    assert view.controls.mode.currentText() == "fixed"
    assert view._levels == Levels(1, 300)


def test_the_read_out_is_in_sensor_coordinates(qtbot: QtBot, view: LiveView) -> None:
    shown(qtbot, view, entry_of(7))
    qtbot.mouseMove(view.canvas, point(view, 15, 33))
    assert view.status.read_out.text() == "row 15, column 33: 20 counts"
    qtbot.mouseMove(view.canvas, QPoint(1, 1))
    assert "outside the frame" in view.status.read_out.text()


def test_crosshair_and_profiles(qtbot: QtBot, view: LiveView) -> None:
    shown(qtbot, view, entry_of(7))
    assert not view.row_profile.isVisible()
    qtbot.mouseClick(view.controls.crosshair, Qt.MouseButton.LeftButton)
    assert view.row_profile.isVisible() and view.column_profile.isVisible()
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=point(view, 12, 25))
    assert view.canvas.crosshair == (12, 25)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Down)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert view.canvas.crosshair == (13, 35)
    places, counts = view.row_profile._curve.getData()
    assert (places[0], places[-1]) == (20, 80)
    np.testing.assert_array_equal(counts[::2], 7 + np.arange(60))
    counts, places = view.column_profile._curve.getData()
    assert (places[0], places[-1]) == (10, 50)
    np.testing.assert_array_equal(counts, 22.0)


def test_a_crosshair_asked_for_beforehand_comes_to_the_middle_of_the_first_frame(
    qtbot: QtBot, view: LiveView
) -> None:
    qtbot.mouseClick(view.controls.crosshair, Qt.MouseButton.LeftButton)
    assert view.canvas.crosshair is None
    shown(qtbot, view, entry_of(7))
    assert view.canvas.crosshair is not None
    row, column = view.canvas.crosshair
    assert abs(row - 30) <= 1 and abs(column - 50) <= 1
    assert len(view.row_profile._curve.getData()[0]), "its profiles are drawn"
    view.canvas.crosshair = (12, 25)
    view.clear("off")
    shown(qtbot, view, entry_of(8))
    assert view.canvas.crosshair == (12, 25), "a place that was chosen stays"
    view.clear("off")
    shown(qtbot, view, entry_of(9, Roi(60, 60, 20, 30)))
    row, column = view.canvas.crosshair
    assert 60 <= row < 80 and 60 <= column < 90, "on the frame, wherever the region is now"


def test_a_drawn_region_is_asked_for_in_sensor_coordinates(qtbot: QtBot, view: LiveView) -> None:
    shown(qtbot, view, entry_of(1, WHOLE))
    qtbot.mouseClick(view.controls.draw_roi, Qt.MouseButton.LeftButton)
    first, last = (view.canvas.viewport.point(row, column) for row, column in ((30, 40), (70, 110)))
    with qtbot.waitSignal(view.roi_wanted) as asked:
        qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(*map(round, first)))
        qtbot.mouseMove(view.canvas, QPoint(*map(round, last)))
        qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(*map(round, last)))
    assert asked.args == [Roi(30, 40, 40, 70)]
    qtbot.waitUntil(lambda: not view.controls.draw_roi.isChecked())
    with qtbot.waitSignal(view.roi_wanted) as asked:
        qtbot.mouseClick(view.controls.whole, Qt.MouseButton.LeftButton)
    assert asked.args == [WHOLE]


def test_a_region_ends_at_the_sensors_edge(qtbot: QtBot, view: LiveView) -> None:
    shown(qtbot, view, entry_of(1, WHOLE))
    view.controls.draw_roi.setChecked(True)
    inside = view.canvas.viewport.point(100, 140)
    outside = QPoint(view.canvas.width() - 1, view.canvas.height() - 1)
    view.canvas.viewport = view.canvas.viewport.moved(-100.0, -100.0)
    inside = view.canvas.viewport.point(100, 140)
    with qtbot.waitSignal(view.roi_wanted) as asked:
        qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(*map(round, inside)))
        qtbot.mouseMove(view.canvas, outside)
        qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=outside)
    assert asked.args[0].fits(SENSOR)
    assert asked.args[0].top + asked.args[0].height == SENSOR[0]


def test_fit_and_one_to_one(qtbot: QtBot, view: LiveView) -> None:
    shown(qtbot, view, entry_of(1, WHOLE))
    qtbot.mouseClick(view.controls.one, Qt.MouseButton.LeftButton)
    assert view.canvas.scale == pytest.approx(1.0)
    qtbot.mouseClick(view.controls.fit, Qt.MouseButton.LeftButton)
    canvas = view.canvas
    fitted = min(canvas.width() / SENSOR[1], canvas.height() / SENSOR[0])
    assert canvas.viewport.scale == pytest.approx(fitted)
    shown(qtbot, view, entry_of(2))
    assert canvas.viewport.scale == pytest.approx(min(canvas.width() / 60, canvas.height() / 40))


def test_what_was_acquired_shown_and_dropped_is_counted(qtbot: QtBot, view: LiveView) -> None:
    for number in (5, 6, 10):
        shown(qtbot, view, entry_of(number))
    qtbot.waitUntil(lambda: view.status.counters.text().startswith("acquired 6 "))
    assert "shown 3 " in view.status.counters.text()
    assert view.status.counters.text().endswith("dropped 3")


def test_snapshot_and_recording_say_where_they_are(
    qtbot: QtBot, view: LiveView, tmp_path: Path
) -> None:
    with qtbot.waitSignal(view.recording_ended) as ended:
        qtbot.mouseClick(view.controls.snapshot, Qt.MouseButton.LeftButton)
    assert "no frame" in ended.args[0]
    view.show_frame(entry_of(1))
    with qtbot.waitSignal(view.recording_ended) as ended:
        qtbot.mouseClick(view.controls.snapshot, Qt.MouseButton.LeftButton)
    assert "Recorded 1 frames" in ended.args[0]
    qtbot.mouseClick(view.controls.record, Qt.MouseButton.LeftButton)
    assert view.recording and view.controls.record.text() == "Stop"
    for number in range(2, 12):
        view.show_frame(entry_of(number))
    with qtbot.waitSignal(view.recording_ended) as ended:
        qtbot.mouseClick(view.controls.record, Qt.MouseButton.LeftButton)
    assert not view.recording and view.controls.record.text() == "Record"
    (path,) = tmp_path.glob("recording-*.h5")
    assert str(path) in ended.args[0]
    with h5py.File(path) as file:
        assert file["entry"].attrs["bench"] == "two-layer bench"
        assert list(file["entry/columns/number"]) == list(range(2, 12))


def test_what_the_user_set_comes_back(qtbot: QtBot, view: LiveView) -> None:
    view.controls.fix(Levels(12, 340))
    view.controls.set_percentiles((2.0, 98.0))
    view.controls.mode.setCurrentText("percentile")
    view.controls.colours.setCurrentText("viridis")
    view.controls.saturation.setChecked(False)
    stored = {name: str(value) for name, value in view.settings().items()}
    other = LiveView()
    qtbot.addWidget(other)
    other.restore(stored)
    assert other.settings() == view.settings()
    other.restore({"mode": "nonsense", "low": "x"})
    assert other.settings() == view.settings()


def test_the_feed_shows_what_is_in_the_ring(qtbot: QtBot, view: LiveView) -> None:
    ring = FrameRing.create(SENSOR)
    writer = FrameRing.attach(ring.name)
    feed = FrameFeed(view.show_frame, lambda: view.recording)
    feed.start(ring)
    for number in range(1, 4):
        writer.put(entry_of(number).frame)
    qtbot.waitUntil(lambda: view._entry is not None and view._entry.number == 3)
    view.clear("The camera is disconnected")
    assert view.status.counters.text() == ""
    feed.stop()
    writer.close()
    ring.close()


def test_another_theme_is_taken_at_once(qtbot: QtBot, view: LiveView) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        style.apply(app, style.LIGHT)
        assert colour_at(view, -1000, -1000) is not None
        corner = view.canvas.grab().toImage().pixelColor(0, 0)
        assert corner == QColor(style.LIGHT.background)
    finally:
        style.apply(app, style.DARK)
