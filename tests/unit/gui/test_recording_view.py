"""Recordings of the live view, opened again: frame by frame, never as a whole."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from drivers.types import Roi
from gui.live.frame_metadata import RecordingMetadata
from gui.live.frames_file import describe_recording, open_frames
from gui.live.recording import FORMATS
from gui.panels.runs_panel import RunsPanel
from gui.runs.run_scan import RunScan
from labdiff.errors import UserError
from tests.unit.gui.live_frames import SENSOR, entry_of

METADATA = RecordingMetadata("two-layer bench", 12, 4095, *SENSOR, "2026-01-02T03:04:05+00:00")
KINDS = sorted(FORMATS)


def recorded(folder: Path, kind: str, count: int = 9, roi: Roi | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"recording-1{FORMATS[kind].suffix}"
    stack = FORMATS[kind](path, METADATA, entry_of(1, roi))
    for number in range(2, count + 1):
        stack.append(entry_of(number, roi))
    stack.close()
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_comes_back_with_its_settings(tmp_path: Path, kind: str) -> None:
    file = open_frames(recorded(tmp_path, kind))
    assert file.metadata == METADATA and file.count == 9
    for place in (3, 0, 8, 4):
        found, true = file.read(place), entry_of(place + 1)
        assert found.number == true.number
        np.testing.assert_array_equal(found.frame.pixels, true.frame.pixels)
        for name in ("exposure_ms", "timestamp_s", "sequence", "pattern_id", "roi"):
            assert getattr(found.frame, name) == getattr(true.frame, name)
    with pytest.raises(UserError, match="not a readable recording"):
        file.read(9)
    file.close()


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_a_frame_is_in_memory(tmp_path: Path, kind: str) -> None:
    roi = Roi(0, 0, 300, 500)
    path = recorded(tmp_path, kind, 30, roi)
    tracemalloc.start()
    file = open_frames(path)
    for place in (29, 7):
        file.read(place)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert most < 6 * 300 * 500 * 2 < path.stat().st_size / 4


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("not HDF5")
    (tmp_path / "text.tif").write_text("not TIFF")
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "other.tif")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_group("entry").attrs["definition"] = "NXtomo"
    for name in ("text.h5", "text.tif", "other.tif", "other.h5", "none.h5", "none.tif"):
        assert describe_recording(tmp_path / name) is None
        with pytest.raises(UserError, match=f"{name}: not a readable recording"):
            open_frames(tmp_path / name)


def settled(qtbot: QtBot, panel: RunsPanel) -> None:
    qtbot.waitUntil(lambda: not panel.busy, timeout=600_000)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_is_listed_and_scrubbed(qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path / "frames", kind)
    panel = RunsPanel(tmp_path)
    qtbot.addWidget(panel)
    panel.resize(1000, 800)
    panel.show()
    settled(qtbot, panel)
    order = panel.list.order
    row = [str(order.index(0, column).data()) for column in range(order.columnCount())]
    assert row[0] == str(Path("frames", path.name)) and row[2] == "recording"
    assert row[3] == "" and row[5] == "" and "60 x 40 px, 12 bits" in row[11]
    assert panel.message.text() == "0 runs, 1 recording"

    panel.list.select([path])
    settled(qtbot, panel)
    view = panel.pages.recording
    assert panel.pages.currentWidget() is view
    assert "two-layer bench" in view.heading.text() and "160 x 120 px" in view.heading.text()
    assert view.scrubber.place_label.text() == "1 of 9"
    assert not panel.report_button.isEnabled() and not panel.generate_button.isEnabled()
    qtbot.keyClick(view.scrubber.slider, Qt.Key.Key_End)
    settled(qtbot, panel)
    assert view.scrubber.place_label.text() == "9 of 9"
    for message in ("+0.267 s", "number 9", "exposure 2.5 ms", "row 10, column 20", "unknown"):
        assert message in view.message.text()
    shown = view.canvas._entry
    assert shown is not None
    np.testing.assert_array_equal(shown.frame.pixels, entry_of(9).frame.pixels)
    qtbot.mouseClick(view.scrubber.play_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.scrubber.at_end and not view.busy, timeout=600_000)
    assert view.scrubber.place_label.text() == "9 of 9"

    path.unlink()
    panel.list.scan()
    settled(qtbot, panel)
    assert "deleted or moved" in panel.message.text() and view.canvas._entry is None


def test_a_tiff_elsewhere_is_somebody_elses(tmp_path: Path) -> None:
    recorded(tmp_path / "frames", "TIFF")
    recorded(tmp_path / "holidays", "TIFF")
    assert [found.path.parent.name for found in RunScan(tmp_path).scan()] == ["frames"]
