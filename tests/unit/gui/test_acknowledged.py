"""What is asked is acknowledged at once: stopping, pausing, connecting, reports; and how far a job is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from gui.event_router import EventRouter
from gui.job_progress import CHECKING, UNKNOWN_S, JobProgress, stages_of
from gui.panels.panel_set import PanelSet
from gui.window import MainWindow
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.status import JobState
from labdiff.generation.request import GenerationRequest
from labdiff.training.methods import STAGES
from tests.unit.gui.recorded_runs import click, end, opened, record

ENGINE = "tests.unit.gui.fake_engine:Engine"
PATIENCE_MS = 600_000
AT_ONCE_S = 0.1
"""Processor time, which a busy machine does not lengthen; that nothing is waited for, states tell."""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    settings = QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)
    made = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close_process()
    made._ending.close()
    made._closing = True


def connected(qtbot: QtBot, window: MainWindow) -> None:
    window.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: window.panels.bench.connected, timeout=PATIENCE_MS)


def test_stopping_and_pausing_are_shown_before_they_have_happened(
    qtbot: QtBot, tmp_path: Path
) -> None:
    panels = PanelSet.create("mock", tmp_path, 0)
    for panel in panels.by_title().values():
        qtbot.addWidget(panel)
    router = EventRouter(panels)
    router.route(JobState("training", "running", "r.h5"), {})
    router.acknowledge("pausing")
    assert router.job_status() == "training pausing ..." and not panels.training.pause.isEnabled()
    router.route(JobState("training", "running", "r.h5"), {})
    assert "pausing" in router.job_status(), "it has not happened yet"
    router.route(JobState("training", "paused", "r.h5"), {})
    assert router.job_status() == "training paused" and panels.training.pause.isEnabled()
    router.acknowledge("stopping")
    router.route(JobState("training", "stopping", "r.h5"), {})
    assert router.job_status() == "training stopping ..."
    router.route(JobState("", "idle"), {})
    assert router.job_status() == ""


def test_a_click_on_stop_is_acknowledged_at_once(qtbot: QtBot, window: MainWindow) -> None:
    connected(qtbot, window)
    window.panels.training.train_wanted.emit(TrainingOptions(batch=7), None)
    qtbot.waitUntil(lambda: window.busy, timeout=PATIENCE_MS)
    begun_s = time.thread_time()
    window.panels.training.stop.click()
    assert "stopping" in window.top.job_status.text() and window.busy
    assert time.thread_time() - begun_s < AT_ONCE_S
    qtbot.waitUntil(lambda: not window.busy, timeout=PATIENCE_MS)


def test_connecting_shows_steps_and_seconds_and_can_be_cancelled(
    qtbot: QtBot, window: MainWindow
) -> None:
    bench = window.panels.bench
    bench.connect_button.click()
    assert bench.connecting and bench.connect_button.text() == "Cancel"
    assert "step 1 of 3" in bench._message.text() and " s" in bench._message.text()
    begun_s = time.thread_time()
    bench.connect_button.click()
    assert time.thread_time() - begun_s < AT_ONCE_S
    assert window._ending.busy, "the window does not wait for the process"
    assert not bench.connecting and bench.connect_button.text() == "Connect"
    assert window._process is None
    with qtbot.waitSignal(window._ending.ended, timeout=PATIENCE_MS):
        pass
    connected(qtbot, window)
    assert bench.connect_button.text() == "Disconnect"


def test_a_connecting_window_closes_at_once(qtbot: QtBot, window: MainWindow) -> None:
    window.panels.bench.connect_button.click()
    window.close()
    assert not window.isVisible() and not window._ending.busy


def test_report_and_evaluation_are_acknowledged_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 2))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    panel.evaluate_button.click()
    assert "evaluating" in panel.message.text()
    assert panel.evaluate_button.text() == "Stop evaluation"
    panel._evaluations.progress.emit("3/10  t = 200 ... 299")
    assert panel.message.text() == "evaluating: 3/10  t = 200 ... 299"
    panel.evaluate_button.click()
    panel.report_button.click()
    assert "writing the report" in panel.message.text()
    panel.close()


def test_the_stages_of_a_job_are_known_beforehand() -> None:
    assert stages_of(ask.Calibrate(check=True)) == (CHECKING,)
    assert stages_of(ask.Calibrate(("registration",))) == ("registration",)
    assert stages_of(ask.Calibrate(everything=True)) == ROUTINE_NAMES
    assert stages_of(ask.Calibrate()) == (CHECKING, *ROUTINE_NAMES)
    training = stages_of(ask.Train(TrainingOptions(), Path("runs")))
    assert set(ROUTINE_NAMES) < set(training) and training[-1] == "generating on the bench"
    assert training[-3:-1] == (STAGES["physics_aware"], STAGES["online"]), "what is compared too"
    assert stages_of(ask.Generate(GenerationRequest())) == ("generating on the twin",)
    assert stages_of(ask.SetPower(1.0)) == ()


def test_a_stage_of_unknown_length_does_not_seem_nearly_done() -> None:
    now = [0.0]
    progress = JobProgress({}, lambda: now[0])
    progress.begin(("generating",))
    progress.begin_stage("generating")
    now[0] = 20.0  # reading the layers took longer than any guess
    assert progress.fraction == 0.0
    progress.advance(1, 10)
    assert progress.fraction == pytest.approx(0.1)


def test_progress_and_time_left_are_those_of_the_whole_job() -> None:
    now = [0.0]
    progress = JobProgress({"one": 20.0, "two": 40.0}, lambda: now[0])
    progress.begin(("one", "two", "three"))
    assert progress.fraction == 0.0 and progress.left_s == 60.0 + UNKNOWN_S
    progress.begin_stage("one")
    now[0] = 10.0
    progress.advance(5, 10)
    assert progress.left_s == pytest.approx(10.0 + 40.0 + UNKNOWN_S)
    assert progress.fraction == pytest.approx(10.0 / 70.0)
    progress.advance(10, 10)
    progress.leave_out(["three"])
    progress.begin_stage("two")
    assert progress.seconds["one"] == 10.0, "it took less than the last time"
    assert progress.left_s == 40.0
    now[0] = 30.0
    assert progress.fraction == pytest.approx(30.0 / 50.0)
    now[0] = 100.0
    before = progress.fraction
    progress.begin_stage("something else")
    assert progress.fraction >= before, "it never goes back"
    progress.end()
    assert progress.left_s == 0.0
