"""One run in the browser: its page, replay, report, evaluation, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from gui.panels.runs_panel import RunsPanel
from labdiff.events import (
    Checkpoint,
    StageStarted,
)
from tests.unit.gui.recorded_runs import (
    click,
    end,
    evaluated,
    opened,
    record,
    rescanned,
    rows,
    settled,
    step,
)


def test_one_run_in_detail(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 12))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    details = panel.pages.details
    assert panel.pages.currentWidget() is details
    page = details.page.toPlainText()
    assert "After online learning, on the bench" in page and "0.0451" in page
    assert "layer sets" in page and 'name = "optical table"' in page
    assert details.curves.steps == 12
    assert set(details.curves.loss._levels) == {"Wiener"}
    assert float(details.replay.views["camera"]._picture[0, 0]) == 11.0
    assert [t for t, _ in details.images.moments] == [900, 300, 0]
    assert details.images.t_label.text() == "t = 0, 3 of 3"
    details.images.slider.setValue(0)
    assert details.images.t_label.text() == "t = 900, 1 of 3" and details.images.grid.count == 6


def test_a_run_that_grows_is_followed_and_a_zoom_stays(qtbot: QtBot, tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 10)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    curves = panel.pages.details.curves
    assert curves.steps == 10
    view = curves.loss.plot.getViewBox()
    view.scaleBy(x=0.5)
    view.sigRangeChangedManually.emit([True, True])
    zoomed = view.viewRange()[0]
    for number in range(10, 30):
        recorder(step(number))
    recorder(StageStarted("online learning", 1))
    rescanned(qtbot, panel)
    assert curves.steps == 30 and view.viewRange()[0] == zoomed
    end(recorder)
    rescanned(qtbot, panel)
    assert rows(panel)[0][2] == "completed"
    assert "completed" in panel.pages.details.page.toPlainText()
    assert [run.path for run in panel.list.selected()] == [tmp_path / "run.h5"]


def test_a_training_is_replayed_along_its_steps(qtbot: QtBot, tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 12)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    replay = panel.pages.details.replay
    panel.pages.details.setCurrentWidget(replay)
    assert replay.message.text() == "online, step 12 of 99, layer set 0"
    assert replay.scrubber.place_label.text() == "12 of 12"
    replay.scrubber.slider.setFocus()
    qtbot.keyClick(replay.scrubber.slider, Qt.Key.Key_Home)
    assert replay.message.text() == "online, step 1 of 99, layer set 0"
    assert float(replay.views["camera"]._picture[0, 0]) == 0.0
    assert replay.views["predicted_noise"]._bar.levels() == (-5.5, 5.5), "as at all other moments"
    assert replay.views["camera"]._bar.levels() == (5.5, 6.5)

    recorder(step(12))
    recorder(StageStarted("online learning", 1))
    rescanned(qtbot, panel)
    assert replay.message.text().startswith("online, step 1 of"), "a place that was chosen stays"
    assert replay.scrubber.place_label.text() == "1 of 13"
    qtbot.mouseClick(replay.scrubber.play_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: replay.scrubber.at_end, timeout=600_000)
    assert not replay.scrubber.play_button.isChecked()
    assert replay.message.text().startswith("online, step 13 of")


def test_a_run_recorded_without_a_history_is_reported_as_such(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 4))
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["entry/history"]
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    replay = panel.pages.details.replay
    assert "without pictures along the run" in replay.message.text()
    assert float(replay.views["camera"]._picture[0, 0]) == 3.0
    assert not replay.scrubber.slider.isEnabled() and not replay.scrubber.play_button.isEnabled()


def test_columns_that_another_program_spoiled_do_not_stop_the_browser(
    qtbot: QtBot, tmp_path: Path
) -> None:
    end(record(tmp_path / "run.h5", 5))
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["entry/history/camera"]
        file["entry/history/camera"] = np.zeros(3)
    end(record(tmp_path / "short.h5", 5))
    with h5py.File(tmp_path / "short.h5", "r+") as file:
        file["entry/events/training/twin_mse"].resize((2,))
    panel = opened(qtbot, tmp_path)
    names = [row[0] for row in rows(panel)]
    click(qtbot, panel, names.index("run.h5"))
    assert "/entry/history/camera" in panel.message.text()
    click(qtbot, panel, names.index("short.h5"))
    assert "its columns differ in length" in panel.message.text()
    assert rows(panel)


def test_the_report_opens_in_the_browser(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(record(tmp_path / "run.h5", 5))
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url) or True)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    qtbot.mouseClick(panel.report_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(shown), timeout=600_000)
    assert Path(shown[0].toLocalFile()) == tmp_path / "report.html"
    assert "Light that denoises" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_buttons_emit_that_a_run_is_to_be_resumed_or_generated_from(
    qtbot: QtBot, tmp_path: Path
) -> None:
    end(record(tmp_path / "run.h5", 2), "stopped")
    panel = opened(qtbot, tmp_path)
    panel.set_ready(connected=True, busy=False)
    click(qtbot, panel, 0)
    for button, signal in (
        (panel.resume_button, panel.resume_wanted),
        (panel.generate_button, panel.generate_wanted),
    ):
        with qtbot.waitSignal(signal) as asked:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked.args == [tmp_path / "run.h5"]


def test_a_report_that_cannot_be_written_is_reported(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 2))
    (tmp_path / "report.html").mkdir()
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    with qtbot.waitSignal(panel.problem, timeout=600_000) as received:
        qtbot.mouseClick(panel.report_button, Qt.MouseButton.LeftButton)
    assert received.args is not None and "cannot be written" in received.args[0]


def test_the_chosen_run_is_selected_and_its_layers_are_emitted(
    qtbot: QtBot, tmp_path: Path
) -> None:
    phases = np.linspace(0.0, 6.0, 2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    for name in ("a", "b"):
        recorder = record(tmp_path / name / "run.h5", 3)
        recorder(Checkpoint({"odu.phases": phases}, {}))
        end(recorder)
    panel = RunsPanel(tmp_path)
    qtbot.addWidget(panel)
    received: list[np.ndarray] = []
    panel.layers_shown.connect(received.append)
    panel.choose(tmp_path / "b" / "run.h5")
    panel.show()
    qtbot.waitUntil(lambda: bool(received), timeout=600_000)
    assert [run.path.parent.name for run in panel.list.selected()] == ["b"]
    np.testing.assert_array_equal(received[0], phases)
    assert panel.pages.currentWidget() is panel.pages.details


def test_an_evaluation_is_shown_beside_its_run(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "one" / "run.h5", 3))
    end(record(tmp_path / "two" / "run.h5", 3))
    evaluated(tmp_path / "one")
    panel = opened(qtbot, tmp_path)
    panel.list.select([tmp_path / "one" / "run.h5"])
    settled(qtbot, panel)
    page = panel.pages.details.evaluation.toPlainText()
    for message in ("digits <8 x 8>", "0.25 ± 0.01", "t = 100 ... 199", "FID", "12.5", "11 ... 14"):
        assert message in page, message
    assert "97.5%" in page
    panel.list.select([tmp_path / "two" / "run.h5"])
    settled(qtbot, panel)
    assert "Not evaluated yet" in panel.pages.details.evaluation.toPlainText()

    (tmp_path / "one" / "evaluation" / "evaluation.json").write_text("[1, 2")
    panel.list.select([tmp_path / "one" / "run.h5"])
    settled(qtbot, panel)
    assert "evaluate again" in panel.message.text()
    assert panel.pages.currentWidget() is panel.pages.details


def test_a_run_is_evaluated_by_a_process_of_its_own(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(record(tmp_path / "run.h5", 3))
    panel = opened(qtbot, tmp_path)
    assert not panel.evaluate_button.isEnabled()
    click(qtbot, panel, 0)
    with qtbot.waitSignal(panel.problem, timeout=600_000) as received:
        qtbot.mouseClick(panel.evaluate_button, Qt.MouseButton.LeftButton)
        assert panel.evaluate_button.text() == "Stop evaluation"
        assert "some minutes" in panel.message.text()
    assert received.args is not None and "laser: is missing" in received.args[0], (
        "of its bench file"
    )
    assert panel.evaluate_button.text() == "Evaluate"

    asked: list[list[str]] = []
    monkeypatch.setattr(panel._evaluations, "start", lambda message, product: asked.append(message))
    qtbot.mouseClick(panel.evaluate_button, Qt.MouseButton.LeftButton)
    path = tmp_path / "run.h5"
    assert asked == [["evaluate", str(path), "--out", str(tmp_path / "evaluation")]]
    evaluated(tmp_path)
    panel._evaluations.done.emit(tmp_path / "evaluation" / "evaluation.json")
    settled(qtbot, panel)
    assert panel.pages.details.currentWidget() is panel.pages.details.evaluation
    assert "12.5" in panel.pages.details.evaluation.toPlainText()
    assert "31.5" in panel.pages.details.evaluation.toPlainText(), "without light"
