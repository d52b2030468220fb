"""Panels alone: what the user asks for comes out as signals, what they are told is shown."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.provenance import Provenance
from calibration.result import CalibrationResult, Verdict
from calibration.step import CalibrationStep
from gui.panels.bench_panel import BenchPanel
from gui.panels.calibration_panel import CalibrationPanel
from gui.panels.log_panel import LogPanel
from gui.widgets.choice import Choice
from gui.widgets.model_form import ModelForm
from gui.widgets.notice_bar import NoticeBar
from gui.widgets.number_field import CountField, NumberField
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.bench import bench_text
from labdiff.config.training import GROUPS, TrainingOptions
from labdiff.engine.status import BenchState, DeviceState, Setting

CAMERA = DeviceState(
    "camera",
    "mock",
    "mock camera",
    True,
    (
        Setting("exposure", 2.0, 1.998, "ms", 0.005, 1000.0),
        Setting("bit depth", None, 12, "bits"),
    ),
)
LASER = DeviceState(
    "laser", "mock", "mock laser", True, (Setting("power", 10.0, 9.9, "mW", 0, 50),)
)
STATE = BenchState("mock", (CAMERA, LASER), emission=True, live=False)


def text_of(panel: QWidget, name: str) -> str:
    label = panel.findChild(QWidget, name)
    assert label is not None, name
    return label.text()  # type: ignore[attr-defined, no-any-return]


def wheel(widget: QWidget) -> None:
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre,
        widget.mapToGlobal(centre),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_the_bench_panel_shows_what_was_set_beside_what_the_device_says(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 0)
    qtbot.addWidget(panel)
    panel.show_state(STATE)
    field = panel.findChild(NumberField, "camera_exposure")
    assert field is not None and field.value() == 2.0 and field.unit == "ms"
    assert text_of(panel, "camera_exposure_actual") == "is 1.998 ms"
    assert text_of(panel, "camera_bit_depth_actual") == "12 bits"
    assert panel.emission.isChecked()
    assert panel.connect_button.text() == "Disconnect"
    with qtbot.waitSignal(panel.exposure_wanted) as asked:
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, "3.5")
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args == [3.5]
    panel.set_busy(True)
    assert not field.isEnabled() and not panel.emission.isEnabled()


def test_the_wheel_never_changes_a_value_of_the_bench(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 3)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_state(STATE)
    fields = [*panel.findChildren(NumberField), *panel.findChildren(CountField)]
    assert len(fields) >= 3
    for field in fields:
        before = field.value()
        field.setFocus()
        wheel(field)
        assert field.value() == before
    choice = panel.findChild(Choice, "bench")
    assert choice is not None
    wheel(choice)
    assert choice.currentText() == "mock"


def test_a_device_that_does_not_answer_is_reported(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 0)
    qtbot.addWidget(panel)
    panel.show_state(STATE)
    gone = dataclasses.replace(CAMERA, connected=False, settings=(), problem="camera: unplugged")
    panel.show_state(dataclasses.replace(STATE, devices=(gone, LASER)))
    message = panel.findChild(QWidget, "camera_problem")
    assert message is not None and not message.isHidden()
    assert text_of(panel, "camera_problem") == "camera: unplugged"


def test_connect_and_disconnect(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 5)
    qtbot.addWidget(panel)
    with qtbot.waitSignal(panel.connect_wanted) as asked:
        panel.connect_button.click()
    assert asked.args == ["mock", 5, ""]
    assert panel.connecting and panel.connect_button.text() == "Cancel"
    with qtbot.waitSignal(panel.cancel_wanted):
        panel.connect_button.click()
    panel.show_failed()
    assert panel.connect_button.isEnabled()
    panel.show_state(STATE)
    with qtbot.waitSignal(panel.disconnect_wanted):
        panel.connect_button.click()
    panel.show_state(BenchState("", (), False, False))
    assert panel.connect_button.text() == "Connect"
    assert panel.findChild(NumberField, "camera_exposure") is None or not panel.connected


def test_a_bench_whose_slm_is_a_monitor_lets_choose_it(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    text = bench_text("mock")[1].replace('[slm]\ndriver = "mock"', '[slm]\ndriver = "screen"')
    path.write_text(text, encoding="utf-8")
    panel = BenchPanel("mock", 0)
    qtbot.addWidget(panel)
    assert panel.monitors.isHidden()
    panel.bench.setCurrentText(str(path))
    assert not panel.monitors.isHidden()
    panel.monitors.select("HDMI-2")
    with qtbot.waitSignal(panel.connect_wanted) as asked:
        panel.connect_button.click()
    assert asked.args == [str(path), 0, "HDMI-2"]


def test_the_window_knows_every_routine(qtbot: QtBot) -> None:
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    assert panel.table.rowCount() == len(ROUTINE_NAMES)
    assert {panel.state_of(name) for name in ROUTINE_NAMES} == {"never"}


def result(reason: str = "pedestal 80 counts") -> DarkLevel:
    return DarkLevel(80.0, 0.1, 2.0, Verdict("pass", reason), np.array([[3, 4]]))


def test_stored_calibrations_are_shown_with_their_verdicts_and_pictures(
    qtbot: QtBot, tmp_path: Path
) -> None:
    archive = CalibrationArchive(tmp_path)
    about = Provenance(
        routine="dark level",
        taken_utc=datetime.now(UTC).isoformat(),
        frames=4,
        seconds=1.0,
        resumed_frames=0,
        devices={},
        settings={},
        parents={},
        bench_sha256="",
        versions={},
    )
    archive.save(result(), about)
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    panel.set_archive(tmp_path, (100, 100))
    assert panel.state_of("dark level") == "stored"
    assert panel.table.item(0, 2).text() == "0 min ago"
    assert "pedestal 80 counts" in panel.table.item(0, 3).text()
    assert panel.state_of("alignment") == "never"
    panel.table.selectRow(0)
    qtbot.waitUntil(lambda: not panel.result.pixmap().isNull(), timeout=600_000)
    assert panel.history.text().startswith("Measured once")
    panel.show_validity((("dark level", "stale", "pedestal moved by 5 counts"),))
    assert panel.state_of("dark level") == "stale"


@dataclass(frozen=True, slots=True)
class Steadiness(CalibrationResult):
    """What a script measures."""

    routine = "steadiness"
    title = "How steady the light is"
    noise: float
    verdict: Verdict


def test_routines_of_scripts_are_shown_below_the_others(qtbot: QtBot, tmp_path: Path) -> None:
    about = Provenance("steadiness", datetime.now(UTC).isoformat(), 4, 1.0)
    result = Steadiness(0.01, Verdict("warn", "1 % rms", "Let it warm up."))
    CalibrationArchive(tmp_path).save(result, about)  # type: ignore[arg-type]
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    panel.set_archive(tmp_path, (100, 100))
    last = len(ROUTINE_NAMES)
    assert panel.table.rowCount() == last + 1 and panel.state_of("steadiness") == "stored"
    assert panel.table.item(last, 0).text() == "steadiness"
    assert panel.table.item(last, 3).text() == "1 % rms Let it warm up."
    panel.table.selectRow(last)
    qtbot.waitUntil(lambda: "1 % rms" in panel.result.text(), timeout=600_000)
    panel.buttons["chosen"].setEnabled(True)
    panel.buttons["chosen"].click()
    assert "its script measures it" in panel.message.text()
    panel.show_validity((("steadiness", "stale", "rests on an earlier one"), ("new", "fresh", "")))
    assert (panel.state_of("steadiness"), panel.state_of("new")) == ("stale", "fresh")
    panel.set_archive(tmp_path / "another", (100, 100))
    assert panel.table.rowCount() == last


def test_calibration_buttons_ask_and_progress_is_shown(qtbot: QtBot) -> None:
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    assert not panel.buttons["all"].isEnabled()
    panel.set_ready(connected=True, busy=False)
    for key, signal in (
        ("check", panel.check_wanted),
        ("stale", panel.stale_wanted),
        ("all", panel.all_wanted),
    ):
        with qtbot.waitSignal(signal):
            panel.buttons[key].click()
    panel.table.selectRow(1)
    with qtbot.waitSignal(panel.chosen_wanted) as asked:
        panel.buttons["chosen"].click()
    assert asked.args == [(ROUTINE_NAMES[1],)]
    panel.set_ready(connected=True, busy=True, calibrating=True)
    assert panel.buttons["stop"].isEnabled() and not panel.buttons["all"].isEnabled()
    panel.begin()
    panel.begin_routine("registration")
    assert panel.state_of("registration") == "measuring"
    picture = np.full((4, 5), 7.0, np.float32)
    panel.show_step(CalibrationStep("registration", 4, 10, "spot 5"), picture)
    assert panel.progress.value() == 5 and "registration: spot 5" in panel.message.text()
    assert panel.frame._picture.shape == (4, 5)
    panel.show_result("registration", result("found"))
    assert panel.state_of("registration") == "fresh"


@pytest.fixture
def form(qtbot: QtBot) -> ModelForm:
    made = ModelForm(TrainingOptions(), GROUPS, {"data": ["digits", "mnist"]})
    qtbot.addWidget(made)
    return made


def test_a_form_has_fields_limits_units_and_hints_of_its_model(form: ModelForm) -> None:
    size = form.findChild(CountField, "option_image_size")
    assert size is not None and (size.minimum(), size.maximum()) == (2, 512)
    assert "Side of the square images" in size.toolTip() and "2 ... 512" in size.toolTip()
    rate = form.findChild(NumberField, "option_learning_rate")
    assert rate is not None and rate.unit == "rad a step"
    sampler = form.findChild(Choice, "option_sampler")
    assert sampler is not None
    assert [sampler.itemText(i) for i in range(sampler.count())] == ["ddim", "ddpm", "paper"]


def test_a_form_gives_back_what_was_filled_in_and_what_was_changed(form: ModelForm) -> None:
    start = TrainingOptions(classes=(3, 5), image_size=12, batch=7, data="mnist")
    form.fill(start)
    assert form.value() == start
    line = form.findChild(QLineEdit, "option_classes")
    assert line is not None
    line.setText("1, 2")
    assert form.value() == start.model_copy(update={"classes": (1, 2)})
    line.setText("one")
    with pytest.raises(ValueError, match="classes"):
        form.value()


def test_a_notice_is_counted_copied_and_dismissed(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = NoticeBar(window)
    bar.show_notice("camera: unplugged", "trace")
    bar.show_notice("laser: off")
    assert bar.message.text() == "laser: off   (1 before it, see the log)"
    assert not bar.isHidden()
    with qtbot.waitSignal(bar.dismissed):
        bar.dismiss()
    assert bar.isHidden()


def test_the_log_shows_lines_that_hold_a_word(qtbot: QtBot) -> None:
    panel = LogPanel()
    qtbot.addWidget(panel)
    for message in ("training started", "camera: unplugged", "training stopped"):
        panel.add(message)
    panel.filter.setText("Training")
    assert len(panel.text.toPlainText().splitlines()) == 2
    panel.filter.clear()
    assert len(panel.text.toPlainText().splitlines()) == 3
