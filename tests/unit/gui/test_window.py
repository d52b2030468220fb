"""The window with a fake job in a real spawned process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.ring import Ring
from gui.run_panel import name_and_unit
from gui.window import Window, full_scale_counts
from gui.worker import Worker
from labdiff.events import JobEnded


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    window = Window(Worker("fake_jobs:open_job", "fake_jobs:recorder_for"), out=tmp_path)
    window.ask_before_close = False
    qtbot.addWidget(window)
    window.show()
    return window


def run_to_end(qtbot: QtBot, window: Window, bench: str) -> JobEnded:
    with qtbot.waitSignal(window.worker.finished, timeout=30_000) as signal:
        window.start(bench)
    assert signal.args is not None
    ended = signal.args[0]
    assert isinstance(ended, JobEnded)
    return ended


def test_a_short_job_fills_the_window(qtbot: QtBot, window: Window) -> None:
    assert run_to_end(qtbot, window, "short").outcome == "completed"
    assert len(window.curves.data["bench"][0]) == 5
    assert set(window.curves.lines) == {"identity", "wiener"}
    assert window.noise.images["true_noise"].image.shape == (10, 10)
    assert window.live.image.image.shape == (100, 100)
    assert window.panel.table.rowCount() == 3
    assert not window.worker.busy


def test_stop_keeps_the_run(qtbot: QtBot, window: Window) -> None:
    window.start("long")
    qtbot.waitUntil(lambda: len(window.curves.data["bench"][0]) > 3, timeout=30_000)
    with qtbot.waitSignal(window.worker.finished, timeout=30_000):
        window.panel.stop.click()
    assert window.panel.status.text() == f"stopped, run kept at {window.run_file}"
    assert window.run_file.read_text().endswith("JobEnded\n")


@pytest.mark.parametrize(("bench", "words"), [("fail", "unplugged"), ("die", "exit code 3")])
def test_a_failure_is_told_in_words(qtbot: QtBot, window: Window, bench: str, words: str) -> None:
    ended = run_to_end(qtbot, window, bench)
    assert ended.outcome == "failed"
    assert words in window.panel.status.text()


def test_closing_while_busy_stops_first(qtbot: QtBot, window: Window) -> None:
    window.start("long")
    qtbot.waitUntil(lambda: len(window.curves.data["bench"][0]) > 0, timeout=30_000)
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=30_000)
    assert not window.worker.busy


def test_ring_drops_what_was_written_over() -> None:
    ring = Ring.create(slots=2, slot_bytes=1024)
    pictures = [{"a": np.full((2, 3), n, np.float32)} for n in range(3)]
    tickets = [ring.write(p) for p in pictures]
    first, last = tickets[0], tickets[2]
    assert first is not None and last is not None
    assert ring.read(first) is None
    got = ring.read(last)
    assert got is not None and (got["a"] == 2).all() and got["a"].shape == (2, 3)
    assert ring.write({"a": np.zeros((100, 100), np.float32)}) is None
    ring.release(unlink=True)


def test_names_and_units() -> None:
    assert name_and_unit("z_gap_mm") == ("z gap", "mm")
    assert name_and_unit("beam_offset_um_x") == ("beam offset x", "µm")
    assert full_scale_counts("mock") == 4095.0
    assert full_scale_counts("no such file") is None


def test_gui_imports_neither_torch_nor_devices() -> None:
    code = (
        "import sys, gui.app; bad = {'torch', 'twin', 'mock_hardware', 'pyvisa', 'pypylon'}; "
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
