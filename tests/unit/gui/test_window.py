"""The whole window on an engine without light: what a person does, and what goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui import style
from gui.help_sheet import ShortcutSheet
from gui.tour import STEPS, Tour
from gui.widgets.number_field import CountField, NumberField
from gui.window import MainWindow

ENGINE = "tests.unit.gui.fake_engine:Engine"
PATIENCE_MS = 600_000


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, settings: QSettings) -> Iterator[MainWindow]:
    opened = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(opened)
    opened.show()
    yield opened
    opened.close_process()
    opened._closing = True


def connect(qtbot: QtBot, window: MainWindow) -> None:
    window.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: window.panels.bench.connected, timeout=PATIENCE_MS)


def press(window: QWidget, name: str) -> None:
    button = window.findChild(QPushButton, name)
    assert button is not None and button.isEnabled(), name
    button.click()


def train(window: MainWindow, batch: int = 16) -> None:
    field = window.findChild(CountField, "option_batch")
    assert field is not None
    field.setValue(batch)
    press(window, "train_start")


def idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.busy, timeout=PATIENCE_MS)


def logged(qtbot: QtBot, window: MainWindow, message: str) -> None:
    """A short job may begin and end between two looks at it."""
    qtbot.waitUntil(lambda: message in window.panels.log.text.toPlainText(), timeout=PATIENCE_MS)


def test_connect_set_the_exposure_and_see_live_frames(qtbot: QtBot, window: MainWindow) -> None:
    connect(qtbot, window)
    assert window.top.bench_status.text() == "fake: laser off"
    field = window.findChild(NumberField, "camera_exposure")
    assert field is not None
    field.setValue(3.5)
    said = "camera_exposure_actual"
    qtbot.waitUntil(
        lambda: window.findChild(QWidget, said).text() == "is 3.5 ms",  # type: ignore[union-attr]
        timeout=PATIENCE_MS,
    )
    press(window, "live")
    qtbot.waitUntil(lambda: window.panels.live.view._entry is not None, timeout=PATIENCE_MS)
    frame = window.panels.live.view._entry.frame  # type: ignore[union-attr]
    assert frame.pixels.shape == (256, 320) and frame.exposure_ms == 3.5


def test_a_training_is_seen_paused_resumed_and_ends(qtbot: QtBot, window: MainWindow) -> None:
    connect(qtbot, window)
    train(window, batch=7)
    learning = window.panels.training.plots.learning
    qtbot.waitUntil(lambda: learning.steps > 5, timeout=PATIENCE_MS)
    press(window, "train_pause")
    qtbot.waitUntil(lambda: window.top.job_status.text() == "training paused", timeout=PATIENCE_MS)
    assert window.panels.training.pause.text() == "Continue"
    press(window, "train_pause")
    qtbot.waitUntil(lambda: window.top.job_status.text() == "training running", timeout=PATIENCE_MS)
    press(window, "train_stop")
    idle(qtbot, window)
    assert "stopped" in window.panels.training.message.text()
    before = learning.steps
    train(window)
    logged(qtbot, window, "training completed")
    assert "completed" in window.panels.training.message.text()
    assert learning.steps == 50 != before, "the curves of the run before are gone"


def test_images_form_and_calibrations_are_shown(qtbot: QtBot, window: MainWindow) -> None:
    connect(qtbot, window)
    press(window, "calibrate_stale")
    logged(qtbot, window, "calibration completed")
    assert window.panels.calibration.state_of("dark level") == "fresh"
    assert window.panels.calibration.frame._picture.shape == (8, 8)
    window.generate(window.panels.generate.request())
    logged(qtbot, window, "generation completed")


def test_the_safe_state_is_always_in_reach(qtbot: QtBot, window: MainWindow) -> None:
    connect(qtbot, window)
    window.panels.bench.emission.click()
    qtbot.waitUntil(lambda: "laser on" in window.top.bench_status.text(), timeout=PATIENCE_MS)
    train(window, batch=7)
    qtbot.waitUntil(lambda: window.panels.training.plots.learning.steps > 2, timeout=PATIENCE_MS)
    press(window, "safe_state")
    idle(qtbot, window)
    qtbot.waitUntil(lambda: "laser off" in window.top.bench_status.text(), timeout=PATIENCE_MS)
    assert "made safe" in window.panels.training.message.text()


@pytest.mark.parametrize("how", ["killed", "crashed"])
def test_when_the_bench_process_dies_the_window_says_so_and_goes_on(
    qtbot: QtBot, window: MainWindow, how: str
) -> None:
    connect(qtbot, window)
    train(window, batch=7 if how == "killed" else 13)
    learning, process = window.panels.training.plots.learning, window._process
    if how == "killed" and process is not None:
        qtbot.waitUntil(lambda: learning.steps > 2, timeout=PATIENCE_MS)
        assert process.pid is not None
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    qtbot.waitUntil(lambda: not window.panels.bench.connected, timeout=PATIENCE_MS)
    assert learning.steps == 0, "no figure of the bench that has gone"
    assert "The bench's process has ended" in window.top.notice.message.text()
    assert "The laser may still be on" in window.top.notice.message.text()
    assert "run.h5" in window.top.notice.message.text()
    connect(qtbot, window)
    train(window)
    qtbot.waitUntil(
        lambda: "completed" in window.panels.training.message.text(), timeout=PATIENCE_MS
    )


def test_trouble_is_a_notice_with_details_and_no_window_that_waits(
    qtbot: QtBot, window: MainWindow
) -> None:
    connect(qtbot, window)
    window.panels.slm.flat.clicked.emit()
    qtbot.waitUntil(lambda: not window.top.notice.isHidden(), timeout=PATIENCE_MS)
    assert "slm: frozen" in window.top.notice.message.text()
    assert QApplication.activeModalWidget() is None
    window.findChild(QWidget, "notice_close").click()  # type: ignore[union-attr]
    assert window.top.notice.isHidden()


def test_a_wrong_bench_file_is_reported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.panels.bench.bench.setCurrentText(str(tmp_path / "bad.toml"))
    window.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: not window.top.notice.isHidden(), timeout=PATIENCE_MS)
    assert "bad.toml: no such bench file" in window.top.notice.message.text()
    assert window.panels.bench.connect_button.isEnabled()


def test_what_was_set_is_back_at_the_next_start(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, settings: QSettings
) -> None:
    connect(qtbot, window)
    train(window, batch=9)
    qtbot.waitUntil(
        lambda: "completed" in window.panels.training.message.text(), timeout=PATIENCE_MS
    )
    window.docks["Log"].hide()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    again = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(again)
    again.show()
    assert again.docks["Log"].isHidden()
    field = again.findChild(CountField, "option_batch")
    assert field is not None and field.value() == 9
    again.arrangement.reset()
    assert not again.docks["Log"].isHidden()


def test_light_and_dark_reach_every_panel(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.wait(1)  # in an event loop the windows of tests before are deleted; a theme reaches each
    before = style.theme()
    window.switch_theme()
    assert style.theme() is not before
    window.switch_theme()
    assert style.theme() is before


def test_the_sheet_of_keys_and_the_tour(qtbot: QtBot, window: MainWindow) -> None:
    window.show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None and sheet.isVisible()
    sheet.close()
    window.start_tour()
    tour = window.findChild(Tour)
    assert tour is not None
    for _ in STEPS:
        assert tour.isVisible()
        tour.findChild(QPushButton, "tour_next").click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: window.findChild(Tour) is None, timeout=PATIENCE_MS)


def test_the_window_imports_nothing_heavy_that_it_does_not_need() -> None:
    heavy = ("torch", "pypylon", "matplotlib", "scipy.optimize", "scipy.ndimage", "scipy.sparse")
    message = f"import sys, gui.app; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", message], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_room_that_is_won_goes_to_the_middle(qtbot: QtBot, window: MainWindow) -> None:
    docks = window.docks
    for _ in range(10):  # it comes onto its screen first, which may be small
        qtbot.wait(1)
    window.resize(1480, 920)
    first_sizes = lambda: (docks["Bench"].width(), docks["Log"].height())  # noqa: E731
    qtbot.waitUntil(lambda: first_sizes() == (330, 130), timeout=PATIENCE_MS)

    def middle() -> tuple[int, int]:
        """Width of camera and tabs beside each other, and their height."""
        return docks["Live"].width() + docks["SLM"].width(), docks["Live"].height()

    bench, log, before = docks["Bench"].width(), docks["Log"].height(), middle()
    first = window.size()
    for width, height in ((1900, 1050), (1460, 800), (1700, 1000)):
        window.resize(width, height)
        won = width - first.width(), height - first.height()
        qtbot.waitUntil(lambda won=won: abs(middle()[0] - before[0] - won[0]) < 20)
        qtbot.waitUntil(lambda won=won: abs(middle()[1] - before[1] - won[1]) < 20)
        assert abs(docks["Bench"].width() - bench) < 20
        assert abs(docks["Log"].height() - log) < 20


def test_view_settings_are_restored_too(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, settings: QSettings
) -> None:
    window.panels.live.view.controls.mode.setCurrentText("min/max")
    window.panels.live.view.controls.histogram.setChecked(False)
    window.panels.training.plots.learning.smoothing.setValue(3)
    window.close()
    again = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(again)
    again.show()
    connect(qtbot, again)
    assert again.panels.live.view.controls.mode.currentText() == "min/max", (
        "another camera keeps the mode"
    )
    assert not again.panels.live.view.controls.histogram.isChecked()
    assert again.panels.training.plots.learning.smoothing.value() == 3
    assert again.panels.training.plots.pace.smoothing.value() == 0
    again.close_process()
    settings.setValue("live", "{")
    settings.setValue("curves", '["x"]')
    spoiled = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(spoiled)
    assert spoiled.panels.live.view.settings()["mode"] == "fixed"


def test_a_recording_ends_whole_when_the_window_closes(qtbot: QtBot, window: MainWindow) -> None:
    connect(qtbot, window)
    press(window, "live")
    qtbot.waitUntil(lambda: window.panels.live.view._entry is not None, timeout=PATIENCE_MS)
    window.panels.live.view.controls.record.setChecked(True)
    assert window.panels.live.view.recording
    folder = window._out / "frames"
    # Of a recording without any frame no file is left.
    qtbot.waitUntil(lambda: folder.is_dir() and any(folder.iterdir()), timeout=PATIENCE_MS)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    assert not window.panels.live.view.recording
    stored = list(folder.iterdir())
    assert len(stored) == 1 and "recording" in stored[0].name and stored[0].stat().st_size > 0
