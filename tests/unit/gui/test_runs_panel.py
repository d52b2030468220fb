from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from gui.panels.runs_panel import RunsPanel
from gui.runs.run_scan import RunScan
from labdiff.errors import UserError
from labdiff.events import (
    Checkpoint,
    GenerationStep,
    JobEnded,
    Measured,
    Pictures,
    StageStarted,
    TrainingStep,
)
from labdiff.runs.recorder import Recorder
from labdiff.runs.summary import read_summary

BENCH = 'name = "optical table"\n'
FIGURES = {"mse_identity": 0.2, "mse_wiener": 0.05, "mse_online_bench": 0.0451}


def step(number: int, bench_mse: float | None = 0.1) -> TrainingStep:
    noise = np.full((4, 4), number, np.float32)
    pictures = Pictures(noise, noise, noise, noise, noise)
    return TrainingStep("online", number, 99, 0, 0.2, bench_mse, 0.02, pictures=pictures)


def record(path: Path, steps: int, seed: int = 0, bench_mse: float = 0.1) -> Recorder:
    recorder = Recorder(path, BENCH, '{"layer_sets": 5, "classes": [0, 1]}', seed)
    for number in range(steps):
        recorder(step(number, bench_mse))
    recorder(Measured(FIGURES))
    return recorder


def end(recorder: Recorder, outcome: str = "completed", reason: str = "") -> None:
    for number, t in enumerate((900, 300, 0)):
        images = np.full((6, 4, 4), 1 - t / 450, np.float32)
        recorder(GenerationStep(number, 3, t, images))
    recorder(JobEnded(outcome, reason))  # type: ignore[arg-type]


def settled(qtbot: QtBot, panel: RunsPanel) -> None:
    qtbot.waitUntil(lambda: not panel.busy, timeout=20_000)


def looked(qtbot: QtBot, panel: RunsPanel) -> None:
    settled(qtbot, panel)
    panel.list.look()
    settled(qtbot, panel)


def opened(qtbot: QtBot, folder: Path) -> RunsPanel:
    panel = RunsPanel(folder)
    qtbot.addWidget(panel)
    panel.resize(1000, 800)
    panel.show()
    settled(qtbot, panel)
    return panel


def rows(panel: RunsPanel) -> list[list[str]]:
    order = panel.list.order
    columns = range(order.columnCount())
    return [[str(order.index(r, c).data()) for c in columns] for r in range(order.rowCount())]


def click(qtbot: QtBot, panel: RunsPanel, row: int, add: bool = False) -> None:
    table = panel.list.table
    place = table.visualRect(panel.list.order.index(row, 0)).center()
    modifier = Qt.KeyboardModifier.ControlModifier if add else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(place))
    settled(qtbot, panel)


def test_a_summary_says_the_last_values_that_there_are(tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 5, seed=3)
    recorder(step(5, None))
    end(recorder, "stopped", "asked to")
    found = read_summary(tmp_path / "run.h5")
    assert (found.outcome, found.reason, found.seed) == ("stopped", "asked to", 3)
    assert (found.bench, found.steps, found.images) == ("optical table", 6, 6)
    assert found.bench_mse == 0.1 and found.discrepancy == 0.02


def test_runs_are_listed_with_what_matters(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "a" / "run.h5", 3, seed=7, bench_mse=0.25))
    record(tmp_path / "deep" / "er" / "run.h5", 0)
    panel = opened(qtbot, tmp_path)
    assert panel.words.text() == "2 runs"
    by_name = {row[0]: row for row in rows(panel)}
    done = by_name[str(Path("a", "run.h5"))]
    assert done[2:9] == ["completed", "7", "optical table", "3", "0.25", "0.02", "6"]
    assert by_name[str(Path("deep", "er", "run.h5"))][2:9] == [
        "running", "0", "optical table", "0", "", "", ""
    ]  # fmt: skip


def test_numbers_are_sorted_as_numbers(qtbot: QtBot, tmp_path: Path) -> None:
    for seed, mse in ((9, 0.5), (10, 0.06), (11, 0.0)):
        record(tmp_path / f"{seed}.h5", int(mse > 0), seed=seed, bench_mse=mse)
    panel = opened(qtbot, tmp_path)
    panel.list.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert [row[3] for row in rows(panel)] == ["9", "10", "11"]
    panel.list.table.sortByColumn(6, Qt.SortOrder.AscendingOrder)
    assert [row[6] for row in rows(panel)] == ["", "0.06", "0.5"]


def test_the_filter_looks_in_every_column(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "good.h5", 1))
    end(record(tmp_path / "bad.h5", 1), "failed", "the camera was unplugged")
    panel = opened(qtbot, tmp_path)
    qtbot.keyClicks(panel.list.filter, "Table UNPLUGGED")
    assert [row[0] for row in rows(panel)] == ["bad.h5"]
    panel.list.filter.clear()
    assert len(rows(panel)) == 2


def test_one_run_in_detail(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 12))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    details = panel.details
    assert panel.pages.currentWidget() is details
    page = details.page.toPlainText()
    assert "After online learning, on the bench" in page and "0.0451" in page
    assert "layer sets" in page and 'name = "optical table"' in page
    assert details.curves.steps == 12
    assert set(details.curves.loss._levels) == {"identity", "Wiener"}
    assert float(details.replay.views["camera"]._picture[0, 0]) == 11.0
    assert [t for t, _ in details.images.moments] == [900, 300, 0]
    assert details.images.words.text() == "t = 0, 3 of 3"
    details.images.slider.setValue(0)
    assert details.images.words.text() == "t = 900, 1 of 3" and details.images.grid.count == 6


def test_a_run_that_grows_is_followed_and_a_zoom_stays(qtbot: QtBot, tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 10)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    curves = panel.details.curves
    assert curves.steps == 10
    view = curves.loss.plot.getViewBox()
    view.scaleBy(x=0.5)
    view.sigRangeChangedManually.emit([True, True])
    zoomed = view.viewRange()[0]
    for number in range(10, 30):
        recorder(step(number))
    recorder(StageStarted("online learning", 1))
    looked(qtbot, panel)
    assert curves.steps == 30 and view.viewRange()[0] == zoomed
    end(recorder)
    looked(qtbot, panel)
    assert rows(panel)[0][2] == "completed"
    assert "completed" in panel.details.page.toPlainText()
    assert [run.path for run in panel.list.selected()] == [tmp_path / "run.h5"]


def test_a_training_is_replayed_along_its_steps(qtbot: QtBot, tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 12)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    replay = panel.details.replay
    panel.details.setCurrentWidget(replay)
    assert replay.words.text() == "online, step 12 of 99, layer set 0"
    assert replay.scrubber.words.text() == "12 of 12"
    replay.scrubber.slider.setFocus()
    qtbot.keyClick(replay.scrubber.slider, Qt.Key.Key_Home)
    assert replay.words.text() == "online, step 1 of 99, layer set 0"
    assert float(replay.views["camera"]._picture[0, 0]) == 0.0
    assert replay.views["predicted_noise"]._bar.levels() == (-5.5, 5.5), "as at all other moments"
    assert replay.views["camera"]._bar.levels() == (5.5, 6.5)

    recorder(step(12))
    recorder(StageStarted("online learning", 1))
    looked(qtbot, panel)
    assert replay.words.text().startswith("online, step 1 of"), "a place that was chosen stays"
    assert replay.scrubber.words.text() == "1 of 13"
    qtbot.mouseClick(replay.scrubber.play_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: replay.scrubber.at_end, timeout=20_000)
    assert not replay.scrubber.play_button.isChecked()
    assert replay.words.text().startswith("online, step 13 of")


def test_a_run_recorded_without_a_history_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 4))
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["entry/history"]
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    replay = panel.details.replay
    assert "without pictures along the run" in replay.words.text()
    assert float(replay.views["camera"]._picture[0, 0]) == 3.0
    assert not replay.scrubber.slider.isEnabled() and not replay.scrubber.play_button.isEnabled()


def test_several_are_compared(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "one" / "run.h5", 8))
    end(record(tmp_path / "two" / "run.h5", 5))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    click(qtbot, panel, 1, add=True)
    assert panel.pages.currentWidget() is panel.comparison
    loss = panel.comparison.charts[0]
    assert {curve.name: len(curve.values) for curve in loss.curves} == {"one": 8, "two": 5}
    assert not panel.report_button.isEnabled()


def test_files_that_are_no_runs_are_said_in_their_rows(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "good.h5", 5))
    whole = (tmp_path / "good.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    (tmp_path / "empty.h5").touch()
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["entry"] = [1.0]
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.create_group("entry").attrs["definition"] = "labdiff_run"
        file["entry"].attrs["start_time"] = "yesterday"
        file["entry/events"] = 3.0
        file.create_group("entry/config").attrs.update(bench="", options="", seed=0)
    panel = opened(qtbot, tmp_path)
    found = {row[0]: row for row in rows(panel)}
    assert found["good.h5"][2] == "completed"
    for name in ("cut.h5", "text.h5", "empty.h5", "odd.h5"):
        assert found[name][2] == "unreadable", name
        assert "not a readable HDF5 file" in found[name][9], name
    assert "not one that labdiff recorded" in found["other.h5"][9]
    names = [row[0] for row in rows(panel)]
    click(qtbot, panel, names.index("cut.h5"))
    assert "not a readable HDF5 file" in panel.hint.text()
    assert panel.pages.currentWidget() is panel.hint
    click(qtbot, panel, names.index("good.h5"))
    assert panel.pages.currentWidget() is panel.details


def test_columns_that_another_program_spoiled_do_not_stop_the_browser(
    qtbot: QtBot, tmp_path: Path
) -> None:
    end(record(tmp_path / "run.h5", 5))
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        del file["entry/events/training/twin_mse"]
        file["entry/events/training/twin_mse"] = [0.1, 0.2]
        del file["entry/history/camera"]
        file["entry/history/camera"] = np.zeros(3)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    assert "history of pictures" in panel.words.text()
    assert "holds something else" in panel.words.text()
    assert rows(panel)


def test_a_run_that_is_deleted_is_said_to_be_gone(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 5))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    (tmp_path / "run.h5").unlink()
    looked(qtbot, panel)
    assert rows(panel)[0][2] == "gone" and "deleted or moved" in rows(panel)[0][9]
    assert "deleted or moved" in panel.words.text()
    assert not panel.report_button.isEnabled() and not panel.resume_button.isEnabled()
    qtbot.mouseClick(panel.list.again, Qt.MouseButton.LeftButton)
    settled(qtbot, panel)
    assert rows(panel) == [] and "no runs here yet" in panel.words.text()


def test_a_folder_that_is_not_there_is_said_once(qtbot: QtBot, tmp_path: Path) -> None:
    panel = opened(qtbot, tmp_path)
    told: list[str] = []
    panel.trouble.connect(told.append)
    panel.list.path.clear()
    qtbot.keyClicks(panel.list.path, str(tmp_path / "nowhere"))
    qtbot.keyClick(panel.list.path, Qt.Key.Key_Return)
    looked(qtbot, panel)
    looked(qtbot, panel)
    assert len(told) == 1 and "cannot be read" in told[0]
    assert "cannot be read" in panel.words.text()


def test_archives_of_calibrations_are_no_runs(tmp_path: Path) -> None:
    for folder in ("gui-1", "calibration/mock-seed0", "bench-seed0.calibration", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
        end(record(tmp_path / folder / "run.h5", 1))
    assert [found.path.parent.name for found in RunScan(tmp_path).look()] == ["gui-1"]


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        end(record(tmp_path / f"{name}.h5", 1))
    scan = RunScan(tmp_path)
    before = scan.look()
    os.utime(tmp_path / "b.h5", ns=(1, 1))
    after = scan.look()
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]
    with pytest.raises(UserError, match="cannot be read"):
        RunScan(tmp_path / "a.h5").look()


def test_the_report_opens_in_the_browser(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(record(tmp_path / "run.h5", 5))
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url) or True)
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    qtbot.mouseClick(panel.report_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(shown), timeout=120_000)
    assert Path(shown[0].toLocalFile()) == tmp_path / "report.html"
    assert "Light that denoises" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_user_asks_to_go_on_with_a_run(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 2), "stopped")
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    for button, signal in (
        (panel.resume_button, panel.resume_wanted),
        (panel.generate_button, panel.generate_wanted),
    ):
        with qtbot.waitSignal(signal) as asked:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked.args == [tmp_path / "run.h5"]


def test_a_report_that_cannot_be_written_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 2))
    (tmp_path / "report.html").mkdir()
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    with qtbot.waitSignal(panel.trouble, timeout=120_000) as told:
        qtbot.mouseClick(panel.report_button, Qt.MouseButton.LeftButton)
    assert told.args is not None and "cannot be written" in told.args[0]


def test_the_last_run_is_chosen_and_its_layers_are_told(qtbot: QtBot, tmp_path: Path) -> None:
    phases = np.linspace(0.0, 6.0, 2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    for name in ("a", "b"):
        recorder = record(tmp_path / name / "run.h5", 3)
        recorder(Checkpoint({"odu.phases": phases}, {}))
        end(recorder)
    panel = RunsPanel(tmp_path)
    qtbot.addWidget(panel)
    told: list[np.ndarray] = []
    panel.layers_shown.connect(told.append)
    panel.choose(tmp_path / "b" / "run.h5")
    panel.show()
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert [run.path.parent.name for run in panel.list.selected()] == ["b"]
    np.testing.assert_array_equal(told[0], phases)
    assert panel.pages.currentWidget() is panel.details


def evaluated(folder: Path, run: str = "run.h5") -> None:
    (folder / "evaluation").mkdir(exist_ok=True)
    error = {"noise_mse": 0.25, "noise_mse_se": 0.01, "clean_mse": 0.5, "clean_mse_se": 0.02}
    span = {"first_t": 100, "end_t": 200, "count": 9}
    early = {"first_t": 1, "end_t": 100, "count": 9, "noise_mse": None, "noise_mse_se": None}
    names = ("odu", "wiener")
    found = {
        "run": run,
        "where": "twin",
        "count": 9,
        "seed": 3,
        "prediction": "noise",
        "sampler": "20 steps of DDIM",
        "data": "digits <8 x 8>",
        "errors": [{"predictor": name, **error, **at} for name in names for at in (early, span)],
        "mean_errors": {name: {"noise_mse": 0.125, "clean_mse": 0.5} for name in names},
        "images": [
            {
                "features": "classifier",
                "count": 9,
                "resamples": 200,
                "figures": {"FID": {"value": 12.5, "low": 11.0, "high": 14.0, "real": 3.0}},
            }
        ],
        "classifier_accuracy": 0.975,
        "classifier_task": "10 digits",
    }
    (folder / "evaluation" / "evaluation.json").write_text(json.dumps(found))


def test_an_evaluation_is_shown_beside_its_run(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "one" / "run.h5", 3))
    end(record(tmp_path / "two" / "run.h5", 3))
    evaluated(tmp_path / "one")
    panel = opened(qtbot, tmp_path)
    panel.list.select([tmp_path / "one" / "run.h5"])
    settled(qtbot, panel)
    page = panel.details.evaluation.toPlainText()
    for words in ("digits <8 x 8>", "0.25 ± 0.01", "t = 100 ... 199", "FID", "12.5", "11 ... 14"):
        assert words in page, words
    assert "97.5%" in page
    panel.list.select([tmp_path / "two" / "run.h5"])
    settled(qtbot, panel)
    assert "Not evaluated yet" in panel.details.evaluation.toPlainText()

    (tmp_path / "one" / "evaluation" / "evaluation.json").write_text("[1, 2")
    panel.list.select([tmp_path / "one" / "run.h5"])
    settled(qtbot, panel)
    assert "evaluate again" in panel.words.text()
    assert panel.pages.currentWidget() is panel.details


def test_a_run_is_evaluated_by_a_process_of_its_own(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(record(tmp_path / "run.h5", 3))
    panel = opened(qtbot, tmp_path)
    assert not panel.evaluate_button.isEnabled()
    click(qtbot, panel, 0)
    with qtbot.waitSignal(panel.trouble, timeout=120_000) as told:
        qtbot.mouseClick(panel.evaluate_button, Qt.MouseButton.LeftButton)
        assert panel.evaluate_button.text() == "Stop evaluation"
        assert "some minutes" in panel.words.text()
    assert told.args is not None and "laser: is missing" in told.args[0], "of its bench file"
    assert panel.evaluate_button.text() == "Evaluate"

    asked: list[list[str]] = []
    monkeypatch.setattr(panel._evaluations, "start", lambda words, product: asked.append(words))
    qtbot.mouseClick(panel.evaluate_button, Qt.MouseButton.LeftButton)
    path = tmp_path / "run.h5"
    assert asked == [["evaluate", str(path), "--out", str(tmp_path / "evaluation")]]
    evaluated(tmp_path)
    panel._evaluations.done.emit(tmp_path / "evaluation" / "evaluation.json")
    settled(qtbot, panel)
    assert panel.details.currentWidget() is panel.details.evaluation
    assert "12.5" in panel.details.evaluation.toPlainText()
