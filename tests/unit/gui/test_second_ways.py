"""A second way into an action runs the same checks: resuming, generating without a bench, connecting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from gui.runs.resuming import resume_refusal
from gui.window import MainWindow
from labdiff.config.training import quick_options
from labdiff.engine import commands as ask
from labdiff.engine.status import JobState
from tests.unit.gui.recorded_runs import click, end, opened, record, rescanned, rows

ENGINE = "tests.unit.gui.fake_engine:Engine"
PATIENCE_MS = 600_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    settings = QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)
    made = MainWindow("mock", tmp_path / "runs", 0, settings, ENGINE)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close_process()
    made._closing = True


def asked_by(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[ask.Command]:
    asked: list[ask.Command] = []
    monkeypatch.setattr(window, "send", asked.append)
    return asked


def test_a_run_is_resumed_only_where_it_can_be(tmp_path: Path) -> None:
    end(record(tmp_path / "stopped.h5", 2), "stopped", "asked to")
    end(record(tmp_path / "done.h5", 2))
    running = record(tmp_path / "running.h5", 2)
    died = record(tmp_path / "died.h5", 2)
    died.close()
    for name, word in (
        ("stopped.h5", ""),
        ("died.h5", ""),
        ("done.h5", "completed"),
        ("running.h5", "another program"),
        ("absent.h5", "no such run file"),
    ):
        assert word in resume_refusal(tmp_path / name, connected=True, busy=False), name
    assert not resume_refusal(tmp_path / "stopped.h5", connected=True, busy=False)
    assert not resume_refusal(tmp_path / "died.h5", connected=True, busy=False)
    assert "no bench" in resume_refusal(tmp_path / "stopped.h5", connected=False, busy=False)
    assert "a job runs" in resume_refusal(tmp_path / "stopped.h5", connected=True, busy=True)
    running.close()


def test_both_buttons_that_resume_ask_the_same(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.h5"
    end(record(path, 2), "stopped", "asked to")
    asked = asked_by(window, monkeypatch)
    window._settings.setValue("options", quick_options().model_dump_json())
    for panel in (window.panels.runs, window.panels.training):
        panel.resume_wanted.emit(path)
        assert not asked and "no bench is connected" in window.top.notice.message.text()
    monkeypatch.undo()
    window.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: window.panels.bench.connected, timeout=PATIENCE_MS)
    asked = asked_by(window, monkeypatch)
    for panel in (window.panels.runs, window.panels.training):
        panel.resume_wanted.emit(path)
    assert [command.resume for command in asked if isinstance(command, ask.Train)] == [path, path]
    stored = str(window._settings.value("options"))
    assert stored == quick_options().model_dump_json(), (
        "the form's options are still the stored ones"
    )


def test_the_button_of_the_list_knows_bench_and_job(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 2), "stopped", "asked to")
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    assert not panel.resume_button.isEnabled() and "Connect" in panel.resume_button.toolTip()
    panel.set_ready(connected=True, busy=True)
    assert not panel.resume_button.isEnabled() and "job" in panel.resume_button.toolTip()
    panel.set_ready(connected=True, busy=False)
    assert panel.resume_button.isEnabled()


def test_a_run_whose_program_is_gone_has_died(qtbot: QtBot, tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 2)
    panel = opened(qtbot, tmp_path)
    panel.set_ready(connected=True, busy=False)
    click(qtbot, panel, 0)
    assert rows(panel)[0][2] == "running" and not panel.resume_button.isEnabled()
    recorder.close()
    rescanned(qtbot, panel)
    click(qtbot, panel, 0)
    assert rows(panel)[0][2] == "died" and panel.resume_button.isEnabled()


def test_a_report_is_opened_by_its_whole_path(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    panel = opened(qtbot, tmp_path / "runs")
    urls: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: urls.append(url.toString()) or True
    )
    monkeypatch.chdir(tmp_path)
    panel._on_report(Path("runs", "report.html"))
    assert urls == [(tmp_path / "runs" / "report.html").as_uri()]


def test_images_are_generated_without_a_bench_and_no_bench_is_connected_meanwhile(
    qtbot: QtBot, window: MainWindow
) -> None:
    generate = window.panels.generate
    assert generate.start_button.isEnabled() and not window.panels.bench.connected
    generate.start_button.click()
    qtbot.waitUntil(lambda: len(generate.view.moments) == 5, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not window.busy, timeout=PATIENCE_MS)
    generate.where.setCurrentText("bench")
    assert not generate.start_button.isEnabled()
    window.panels.bench.connect_button.click()
    qtbot.waitUntil(lambda: window.panels.bench.connected, timeout=PATIENCE_MS)
    assert generate.start_button.isEnabled()
    assert len(generate.view.moments) == 5, "what the twin has computed belongs to no bench"


def test_a_bench_is_not_connected_over_a_running_job(qtbot: QtBot, window: MainWindow) -> None:
    window.router.route(JobState("generation", "running"), {})
    window.connect_bench("mock", 0)
    assert window._process is None
    assert "stop it before a bench is connected" in window.top.notice.message.text()
    assert window.panels.bench.connect_button.isEnabled()
    window.router.route(JobState("", "idle"), {})
    window.connect_bench("mock", 0)
    qtbot.waitUntil(lambda: window.panels.bench.connected, timeout=PATIENCE_MS)
