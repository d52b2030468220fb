from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.pictures import PictureRing
from gui.window import MainWindow
from labdiff.reader import read_run

FACTORY = "tests.unit.gui.fake_jobs:open_job"


def open_window(qtbot: QtBot, out: Path, bench: str) -> MainWindow:
    window = MainWindow(bench, out, 0, FACTORY)
    qtbot.addWidget(window)
    window.show()
    window.start()
    return window


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path


def test_a_job_runs_to_its_end_and_is_recorded(qtbot: QtBot, out: Path) -> None:
    window = open_window(qtbot, out, "short")
    qtbot.waitUntil(lambda: not window.busy, timeout=60_000)
    assert "completed" in window.stage.text()
    assert window.parameters.item(0, 1).text() == "5.700 mm"
    assert len(read_run(out / "gui-1" / "run.h5").columns["training"]["step"]) == 50
    assert window.start_button.isEnabled()
    window.start()
    assert window.curves.steps == 0
    qtbot.waitUntil(lambda: not window.busy, timeout=60_000)
    assert window.curves.steps == 50
    assert read_run(out / "gui-2" / "run.h5").outcome == "completed"


def test_stop_keeps_a_readable_run(qtbot: QtBot, out: Path) -> None:
    window = open_window(qtbot, out, "endless")
    qtbot.waitUntil(lambda: window.progress.value() > 3, timeout=60_000)
    window.stop()
    qtbot.waitUntil(lambda: not window.busy, timeout=60_000)
    assert "stopped" in window.stage.text()
    assert read_run(out / "gui-1" / "run.h5").outcome == "stopped"


def test_a_users_mistake_is_said_in_words(qtbot: QtBot, out: Path) -> None:
    window = open_window(qtbot, out, "bad")
    qtbot.waitUntil(lambda: not window.busy, timeout=60_000)
    assert "bad.toml: no such bench file" in window.log.toPlainText()
    assert window.start_button.isEnabled()


def test_a_killed_job_leaves_the_window_alive(qtbot: QtBot, out: Path) -> None:
    window = open_window(qtbot, out, "endless")
    qtbot.waitUntil(lambda: window.progress.value() > 3, timeout=60_000)
    assert window._worker is not None
    window._worker.kill()
    qtbot.waitUntil(lambda: not window.busy, timeout=60_000)
    assert "ended with code" in window.log.toPlainText()
    assert read_run(out / "gui-1" / "run.h5").outcome == "running"


def test_a_lapped_picture_is_dropped_not_torn() -> None:
    ring = PictureRing()
    other = PictureRing(ring.name)
    try:
        first = other.put({"a": np.ones((3, 4), np.float32)})
        assert first is not None
        got = ring.get(first)
        assert got is not None
        np.testing.assert_array_equal(got["a"], np.ones((3, 4)))
        for _ in range(8):
            other.put({"a": np.zeros((3, 4), np.float32)})
        assert ring.get(first) is None
    finally:
        other.close()
        ring.close()


def test_the_window_imports_neither_torch_nor_devices() -> None:
    code = (
        "import sys, gui.app; "
        "heavy = {'torch', 'pypylon', 'pyvisa', 'mock_hardware.laboratory', 'twin'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
