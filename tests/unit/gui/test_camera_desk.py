"""The camera's desk: what a press sends, what figures and pictures it makes of frames, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.provenance import Provenance
from calibration.result import Verdict
from drivers.types import Frame, Roi
from gui.camera_desk.desk import CameraDesk
from gui.camera_desk.figures_page import ALONG, LINE
from gui.camera_desk.picture_page import CALIBRATED, NONE, TAKEN
from gui.command_log import describe
from gui.live.frames_file import open_frames
from gui.live.levels import Scale
from gui.live.regions import LineMark
from gui.panels.live_panel import LivePanel
from gui.process.frame_ring import NumberedFrame
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState, DeviceState, ExposureFound, Setting
from tests.unit.gui.number_typing import type_in

SENSOR = (120, 160)
CAMERA = DeviceState(
    "camera", "mock", "mock camera", True, (Setting("exposure", 2.0, 2.0, "ms", 0.005, 1000.0),)
)
GAIN = Setting("gain", 3.0, 3.0, "dB", 0.0, 24.0)
STATE = BenchState(
    "mock",
    (CAMERA,),
    emission=True,
    live=True,
    sensor_shape=SENSOR,
    bit_depth=12,
    full_scale_counts=4095,
    roi=Roi(0, 0, *SENSOR),
)
PATIENCE_MS = 600_000


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path) -> Iterator[LivePanel]:
    made = LivePanel(tmp_path)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made.show_state(STATE, busy=False)
    yield made
    made.view.finish_recordings()


@pytest.fixture
def desk(panel: LivePanel) -> CameraDesk:
    return panel.desk


def sent_by(panel: LivePanel) -> list[ask.Command]:
    sent: list[ask.Command] = []
    panel.command_wanted.connect(sent.append)
    return sent


def press(desk: CameraDesk, name: str) -> None:
    button = desk.findChild(QPushButton, name)
    assert button is not None and button.isEnabled()
    button.click()


def entry(number: int, pixels: np.ndarray, exposure_ms: float = 2.0) -> NumberedFrame:
    counts = np.asarray(pixels, np.uint16)
    saturated = float((counts >= 4095).mean())
    roi = Roi(0, 0, *counts.shape)
    return NumberedFrame(number, Frame(counts, exposure_ms, 1.0, number, None, saturated, roi))


def shown(panel: LivePanel) -> np.ndarray:
    frame = panel.view.frame
    assert frame is not None
    return frame.pixels


def test_presets_ask_for_parts_of_the_sensor(panel: LivePanel, desk: CameraDesk) -> None:
    sent = sent_by(panel)
    for name in ("half", "quarter", "full", "output"):
        press(desk, f"desk_roi_{name}")
    assert sent == [
        ask.SetRoi(Roi(30, 40, 60, 80)),
        ask.SetRoi(Roi(45, 60, 30, 40)),
        ask.SetRoi(None),
        ask.SetOutputRoi(),
    ]
    assert describe(sent[-1]) == "ROI: around the output region"


def test_a_window_is_sent_by_four_numbers_or_refused(
    qtbot: QtBot, panel: LivePanel, desk: CameraDesk
) -> None:
    sent = sent_by(panel)
    edges = desk.settings_page.edges
    for edge, text in (("top", "10"), ("left", "20"), ("height", "30"), ("width", "40")):
        type_in(qtbot, edges[edge], text)
    panel.show_state(STATE, busy=False)
    assert edges["top"].value() == 10, (
        "what was typed stays while the camera reports its old window"
    )
    press(desk, "desk_roi_set")
    assert sent == [ask.SetRoi(Roi(10, 20, 30, 40))]
    type_in(qtbot, edges["width"], "141")
    press(desk, "desk_roi_set")
    assert (
        "ends at row 40, column 161; the sensor has 120 x 160" in desk.settings_page.roi_note.text()
    )
    type_in(qtbot, edges["width"], "2.5")
    press(desk, "desk_roi_set")
    assert "Nothing was sent" in desk.settings_page.roi_note.text() and len(sent) == 1
    panel.show_state(replace(STATE, roi=Roi(8, 16, 32, 48)), busy=False)
    assert [edges[edge].value() for edge in edges] == [8, 16, 32, 48], (
        "as the camera has made of it"
    )


def test_exposure_and_gain_are_sent_and_gain_is_there_only_where_the_camera_has_it(
    qtbot: QtBot, panel: LivePanel, desk: CameraDesk
) -> None:
    sent = sent_by(panel)
    page = desk.settings_page
    assert not page.gain.isVisible()
    type_in(qtbot, page.exposure, "500 us")
    with_gain = DeviceState("camera", "basler", "cam", True, (*CAMERA.settings, GAIN))
    panel.show_state(replace(STATE, devices=(with_gain,)), busy=False)
    assert page.gain.isVisible() and page.gain.value() == 3.0
    type_in(qtbot, page.gain, "25")
    type_in(qtbot, page.gain, "6")
    assert sent == [ask.SetExposure(0.5), ask.SetGain(6.0)], "25 dB is beyond its limits"
    panel.show_state(STATE, busy=True)
    assert not page.exposure.isEnabled() and not page.auto.isEnabled()


def test_one_press_finds_the_exposure_and_says_at_once_that_it_does(
    panel: LivePanel, desk: CameraDesk
) -> None:
    sent = sent_by(panel)
    press(desk, "desk_auto_exposure")
    assert sent == [ask.AutoExpose()] and "finding" in desk.settings_page.found.text()
    desk.show_found(ExposureFound(1.23, 0.79, 10.0, 3))
    said = "exposure 1.23 ms at 10 mW: brightest pixel at 79 % of full scale"
    assert desk.settings_page.found.text() == said
    desk.show_found(ExposureFound(0.005, 1.0, 10.0, 5, "lower the power"))
    assert "clipped; lower the power" in desk.settings_page.found.text()
    press(desk, "desk_auto_exposure")
    desk.settle()
    assert desk.settings_page.found.text() == "", "it has failed, and a notice says why"


def test_figures_of_the_frame_a_box_and_a_line(panel: LivePanel, desk: CameraDesk) -> None:
    desk.setCurrentIndex(1)
    pixels = np.zeros(SENSOR, np.uint16)
    pixels[20:40, 50:90] = 100
    panel.view.show_frame(entry(1, pixels))
    panel.view._tick()
    values = desk.figures.values
    assert values["mean"].text() == f"{pixels.mean():.2f}" and values["max"].text() == "100"
    assert values["centroid row"].text() == "29.50 px"
    assert values["centroid column"].text() == "69.50 px"
    desk.figures.region.setCurrentText("box")
    assert desk.figures.draw.isChecked() and desk.figures.place.text() == "not drawn yet"
    view = panel.view.canvas.viewport
    first, last = (QPoint(*map(round, view.point(*at))) for at in ((20, 50), (30, 90)))
    QTest.mousePress(panel.view.canvas, Qt.MouseButton.LeftButton, pos=first)
    QTest.mouseMove(panel.view.canvas, last)
    QTest.mouseRelease(panel.view.canvas, Qt.MouseButton.LeftButton, pos=last)
    assert panel.view.canvas.mark == Roi(20, 50, 10, 40) and not desk.figures.draw.isChecked()
    assert values["std"].text() == "0.00" and values["pixels"].text() == "400"
    assert values["centroid row"].text() == "even counts"
    desk.figures.region.setCurrentText(LINE)
    assert desk.figures.trace.currentText() == ALONG
    panel.view.canvas.mark = LineMark((30, 40), (30, 99))
    panel.view.canvas.marked.emit(panel.view.canvas.mark)
    counts = desk.figures.curve.getData()[1]
    assert len(counts) == 60 and counts[:10].max() == 0 and counts[10:50].min() == 100


def test_a_trace_has_a_point_for_each_frame_and_is_cleared(
    panel: LivePanel, desk: CameraDesk
) -> None:
    desk.setCurrentIndex(1)
    for number in range(1, 4):
        panel.view.show_frame(entry(number, np.full(SENSOR, 10 * number)))
        panel.view._tick()
    assert list(desk.figures.curve.getData()[1]) == [10.0, 20.0, 30.0]
    press(desk, "desk_trace_clear")
    assert desk.figures.curve.getData()[1] is None


def test_a_taken_background_is_subtracted_from_what_is_shown(
    panel: LivePanel, desk: CameraDesk
) -> None:
    page = desk.picture
    page.frames.setValue(2)
    press(desk, "desk_background_take")
    assert page.background.currentText() == TAKEN and "taking 0 of 2" in page.said.text()
    for number, level in ((1, 50), (2, 60)):
        panel.view.show_frame(entry(number, np.full(SENSOR, level)))
    panel.view._tick()
    assert page.said.text() == "mean of 2 frames"
    bright = np.full(SENSOR, 155)
    bright[0, 0], bright[0, 1] = 4095, 40
    panel.view.show_frame(entry(3, bright))
    assert shown(panel)[5, 5] == 100
    assert shown(panel)[0, 0] == 4095, "a saturated pixel stays marked"
    assert shown(panel)[0, 1] == 0, "none is below 0"
    panel.view.show_frame(entry(4, bright, exposure_ms=4.0))
    panel.view._tick()
    assert "it was taken at 2 ms" in page.said.text()
    page.background.setCurrentText(NONE)
    assert shown(panel)[5, 5] == 155


def test_the_calibrated_dark_level_is_subtracted_or_said_to_be_missing(
    panel: LivePanel, desk: CameraDesk, tmp_path: Path
) -> None:
    panel.view.show_frame(entry(1, np.full(SENSOR, 180)))
    state = replace(STATE, calibrations=str(tmp_path / "archive"))
    panel.show_state(state, busy=False)
    page = desk.picture
    page.background.setCurrentText(CALIBRATED)
    assert page.background.currentText() == NONE and "calibrate first" in page.said.text()
    dark = DarkLevel(80.0, 0.1, 2.0, Verdict("pass", ""), np.array([[3, 4]]))
    about = Provenance("dark level", "2026-01-01T00:00:00+00:00", 4, 1.0)
    CalibrationArchive(tmp_path / "archive").save(dark, about)
    page.background.setCurrentText(CALIBRATED)
    assert page.said.text() == "80.0 counts, and 1 hot pixels mended"
    pixels = np.full(SENSOR, 180)
    pixels[3, 4] = 900
    panel.view.show_frame(entry(2, pixels))
    assert shown(panel).min() == shown(panel).max() == 100


def test_frames_are_averaged_and_pixels_binned(panel: LivePanel, desk: CameraDesk) -> None:
    page = desk.picture
    page.average.setValue(2)
    for number, level in ((1, 10), (2, 20), (3, 40)):
        panel.view.show_frame(entry(number, np.full(SENSOR, level)))
    assert shown(panel).mean() == 30.0
    page.average.setValue(1)
    page.bins.setCurrentIndex(1)
    pixels = np.zeros(SENSOR)
    pixels[0, 0] = 40
    panel.view.show_frame(entry(4, pixels))
    assert shown(panel)[:2, :2].tolist() == [[10, 10], [10, 10]] and shown(panel).sum() == 40


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_brightness_follows_a_logarithm_or_a_power(
    panel: LivePanel, desk: CameraDesk, dtype: type
) -> None:
    panel.view.controls.colours.setCurrentText("grey")
    table = panel.view.canvas._table
    assert table is not None
    linear = _grey(panel, np.array([[255]], dtype))
    desk.picture.scale.setCurrentText(Scale.GAMMA.value)
    assert desk.picture.gamma.isEnabled()
    gamma = _grey(panel, np.array([[255]], dtype))
    desk.picture.scale.setCurrentText(Scale.LOG.value)
    log = _grey(panel, np.array([[255]], dtype))
    assert linear < gamma < log
    assert gamma == pytest.approx(255 * (255 / 4095) ** 0.5, abs=2)
    assert log == pytest.approx(255 * np.log1p(1000 * 255 / 4095) / np.log1p(1000), abs=2)


def _grey(panel: LivePanel, pixels: np.ndarray) -> int:
    table = panel.view.canvas._table
    assert table is not None
    return table.entries(pixels.dtype)[int(table.bytes_of(pixels, False)[0, 0])] & 255


def test_profiles_are_scaled_to_their_counts_where_asked(
    panel: LivePanel, desk: CameraDesk
) -> None:
    panel.view.controls.crosshair.setChecked(True)
    panel.view.show_frame(entry(1, np.linspace(100, 200, SENSOR[0] * SENSOR[1]).reshape(SENSOR)))
    panel.view._tick()
    assert panel.view.row_profile._plot.viewRange()[1][1] > 4000
    desk.picture.autoscale.setChecked(True)
    assert panel.view.row_profile._plot.viewRange()[1][1] < 210


def test_a_recording_ends_after_frames_with_its_name_and_note(
    qtbot: QtBot, panel: LivePanel, desk: CameraDesk, tmp_path: Path
) -> None:
    page = desk.recording
    page.name.setText("beam")
    page.dated.setChecked(False)
    page.end.setCurrentText("after frames")
    page.frames.setValue(3)
    page.remark.setText("mirror touched")
    page.folder.setText(str(tmp_path / "elsewhere"))
    press(desk, "desk_record")
    assert page.record.text() == "Stop" and panel.view.recording
    desk.picture.average.setValue(4)
    for number in range(1, 6):
        panel.view.show_frame(entry(number, np.full(SENSOR, 10 * number)))
    with qtbot.waitSignal(panel.view.recording_ended, timeout=PATIENCE_MS):
        pass
    assert page.record.text() == "Record" and "Recorded 3 frames" in page.said.text()
    found = open_frames(tmp_path / "elsewhere" / "beam.h5")
    assert found.metadata.note == "mirror touched" and found.count == 3
    assert found.read(2).frame.pixels.max() == 30, "recordings are raw"
    found.close()
    press(desk, "desk_record")
    assert "beam.h5: exists" in page.said.text() and not page.record.isChecked()
    page.name.setText("a/b")
    press(desk, "desk_record")
    assert "contains '/'" in page.said.text() and not panel.view.recording


def test_a_recording_ends_after_seconds(qtbot: QtBot, panel: LivePanel, desk: CameraDesk) -> None:
    now = [0.0]
    panel.view._recorder._clock = lambda: now[0]
    page = desk.recording
    page.end.setCurrentText("after seconds")
    page.seconds.setValue(5.0)
    press(desk, "desk_record")
    panel.view.show_frame(entry(1, np.zeros(SENSOR)))
    now[0] = 4.9
    panel.view.show_frame(entry(2, np.zeros(SENSOR)))
    assert panel.view.recording
    now[0] = 5.0
    with qtbot.waitSignal(panel.view.recording_ended, timeout=PATIENCE_MS) as ended:
        panel.view.show_frame(entry(3, np.zeros(SENSOR)))
    assert "Recorded 2 frames" in ended.args[0]


def test_the_free_room_and_the_frame_rate_are_shown(panel: LivePanel, desk: CameraDesk) -> None:
    desk.setCurrentIndex(3)
    desk.refresh()
    assert "GB free" in desk.recording.room.text()
    desk.recording.show_room(1e15)
    assert "0 s at" in desk.recording.room.text()
    desk.settings_page.show_rate(21.25)
    assert desk.settings_page.rate.text() == "21.2 frames/s"


def test_the_desk_forgets_the_last_camera(panel: LivePanel, desk: CameraDesk) -> None:
    panel.view.show_frame(entry(1, np.full(SENSOR, 777)))
    panel.view._tick()
    desk.figures.show_frame(entry(1, np.full(SENSOR, 777)).frame)
    desk.show_found(ExposureFound(1.23, 0.79, 10.0, 3))
    press(desk, "desk_background_take")
    panel.reset()
    assert desk.figures.values["mean"].text() == "" and desk.settings_page.found.text() == ""
    assert desk.picture.said.text() == "" and panel.view.processing.taking is None
    assert not desk.settings_page.auto.isEnabled()


def test_the_desk_lies_below_the_picture_in_a_narrow_panel(panel: LivePanel) -> None:
    split, histogram = panel.split, panel.view.controls.histogram
    assert split.beside and panel.desk.isVisible() and histogram.isChecked()
    panel.resize(480, 700)
    assert not split.beside and not panel.desk.isVisible(), "the picture comes first"
    split.button.click()
    assert panel.desk.isVisible() and not histogram.isChecked(), "the histogram gives way"
    assert panel.view.canvas.height() > 150
    split.button.click()
    assert not panel.desk.isVisible() and histogram.isChecked()
    panel.resize(1100, 700)
    assert split.beside and panel.desk.isVisible() and histogram.isChecked()
    split.button.click()
    panel.resize(480, 700)
    panel.resize(1100, 700)
    assert not panel.desk.isVisible(), "as it was left"
