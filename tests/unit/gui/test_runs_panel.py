"""The list of runs: what its columns hold, sorting, searching, and files that are no runs."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.runs.run_scan import RunScan
from labdiff.errors import UserError
from labdiff.events import JobEnded, Measured
from labdiff.runs.reader import read_run
from labdiff.runs.summary import read_summary
from tests.unit.gui.recorded_runs import (
    click,
    end,
    opened,
    record,
    rescanned,
    rows,
    settled,
    step,
)


def test_a_summary_holds_the_last_values_that_there_are(tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 5, seed=3)
    recorder(step(5, None))
    end(recorder, "stopped", "asked to")
    found = read_summary(tmp_path / "run.h5")
    assert (found.outcome, found.reason, found.seed) == ("stopped", "asked to", 3)
    assert (found.bench, found.steps, found.images) == ("optical table", 6, 6)
    assert (found.mse, found.scored, found.wiener_mse) == (0.0451, "mse_online_bench", 0.05)
    assert found.discrepancy == 0.02
    figures = read_run(tmp_path / "run.h5").figures
    assert (found.mse, found.wiener_mse) == (figures["mse_online_bench"], figures["mse_wiener"])


def test_the_last_layers_that_were_scored_count(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = record(path, 2, mse=None)
    recorder(Measured({"mse_offline_twin": 0.07, "discrepancy_before": 0.5}))
    recorder(JobEnded("stopped", ""))
    assert (read_summary(path).mse, read_summary(path).scored) == (0.07, "mse_offline_twin")
    again = tmp_path / "again.h5"
    recorder = record(again, 2, mse=0.03)
    recorder(Measured({"mse_offline_twin": 0.07, "discrepancy_after": 0.011}))
    recorder(JobEnded("completed", ""))
    found = read_summary(again)
    assert (found.mse, found.scored, found.discrepancy) == (0.03, "mse_online_bench", 0.011)


def test_runs_are_listed_with_outcome_seed_bench_and_errors(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "a" / "run.h5", 3, seed=7, mse=0.0386))
    deep = str(Path("deep", "er", "run.h5"))
    recorder = record(tmp_path / deep, 0, mse=None)
    panel = opened(qtbot, tmp_path)
    assert panel.message.text() == "2 runs"
    by_name = {row[0]: row for row in rows(panel)}
    done = by_name[str(Path("a", "run.h5"))]
    end_figures = ["0.0386", "online, bench", "0.05", "0.02", "6"]
    assert done[2:11] == ["completed", "7", "optical table", "3", *end_figures]
    unknown = ["", "", "0.05", "", ""]
    assert by_name[deep][2:11] == ["running", "0", "optical table", "0", *unknown]
    recorder.close()  # its program has ended, and the file does not say how
    rescanned(qtbot, panel)
    assert {row[0]: row for row in rows(panel)}[deep][2] == "died"


def test_numbers_are_sorted_as_numbers(qtbot: QtBot, tmp_path: Path) -> None:
    for seed, mse in ((9, 0.5), (10, 0.06), (11, None)):
        record(tmp_path / f"{seed}.h5", 1, seed=seed, mse=mse)
    panel = opened(qtbot, tmp_path)
    panel.list.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert [row[3] for row in rows(panel)] == ["9", "10", "11"]
    panel.list.table.sortByColumn(6, Qt.SortOrder.AscendingOrder)
    assert [row[6] for row in rows(panel)] == ["", "0.06", "0.5"]


def test_the_filter_searches_every_column(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "good.h5", 1))
    end(record(tmp_path / "bad.h5", 1), "failed", "the camera was unplugged")
    panel = opened(qtbot, tmp_path)
    qtbot.keyClicks(panel.list.filter, "Table UNPLUGGED")
    assert [row[0] for row in rows(panel)] == ["bad.h5"]
    panel.list.filter.clear()
    assert len(rows(panel)) == 2


def test_several_selected_runs_are_compared(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "one" / "run.h5", 8))
    end(record(tmp_path / "two" / "run.h5", 5))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    click(qtbot, panel, 1, add=True)
    assert panel.pages.currentWidget() is panel.pages.comparison
    loss = panel.pages.comparison.charts[0]
    assert {curve.name: len(curve.values) for curve in loss.curves} == {"one": 8, "two": 5}
    assert not panel.report_button.isEnabled()


def test_files_that_are_no_runs_are_reported_in_their_rows(qtbot: QtBot, tmp_path: Path) -> None:
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
        assert "expected a run file" in found[name][11], name
    assert "not one that labdiff recorded" in found["other.h5"][11]
    names = [row[0] for row in rows(panel)]
    click(qtbot, panel, names.index("cut.h5"))
    assert "expected a run file" in panel.pages.hint.text()
    assert panel.pages.currentWidget() is panel.pages.hint
    click(qtbot, panel, names.index("good.h5"))
    assert panel.pages.currentWidget() is panel.pages.details


def test_a_deleted_run_is_reported_as_gone(qtbot: QtBot, tmp_path: Path) -> None:
    end(record(tmp_path / "run.h5", 5))
    panel = opened(qtbot, tmp_path)
    click(qtbot, panel, 0)
    (tmp_path / "run.h5").unlink()
    rescanned(qtbot, panel)
    assert rows(panel)[0][2] == "gone" and "deleted or moved" in rows(panel)[0][11]
    assert "deleted or moved" in panel.message.text()
    assert not panel.report_button.isEnabled() and not panel.resume_button.isEnabled()
    qtbot.mouseClick(panel.list.again, Qt.MouseButton.LeftButton)
    settled(qtbot, panel)
    assert rows(panel) == [] and "no runs here yet" in panel.message.text()


def test_a_missing_folder_is_reported_once(qtbot: QtBot, tmp_path: Path) -> None:
    panel = opened(qtbot, tmp_path)
    received: list[str] = []
    panel.problem.connect(received.append)
    panel.list.path.clear()
    qtbot.keyClicks(panel.list.path, str(tmp_path / "nowhere"))
    qtbot.keyClick(panel.list.path, Qt.Key.Key_Return)
    rescanned(qtbot, panel)
    rescanned(qtbot, panel)
    assert len(received) == 1 and "cannot be read" in received[0]
    assert "cannot be read" in panel.message.text()


def test_archives_of_calibrations_are_no_runs(tmp_path: Path) -> None:
    for folder in ("gui-1", "calibration/mock-seed0", "bench-seed0.calibration", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
        end(record(tmp_path / folder / "run.h5", 1))
    assert [found.path.parent.name for found in RunScan(tmp_path).scan()] == ["gui-1"]


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        end(record(tmp_path / f"{name}.h5", 1))
    scan = RunScan(tmp_path)
    before = scan.scan()
    os.utime(tmp_path / "b.h5", ns=(1, 1))
    after = scan.scan()
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]
    with pytest.raises(UserError, match="cannot be read"):
        RunScan(tmp_path / "a.h5").scan()
