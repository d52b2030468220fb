"""A laser that a person switches, behind the window: what is asked, and what an answer does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from gui.window import MainWindow

PATIENCE_MS = 600_000
BENCH = """
name = "by hand"
[source]
wavelength_nm = 632.8
waist_mm = 0.2
[cavity]
z_gap_mm = 5.7
patch_shape = [10, 12]
patch_top = 16
patch_lefts = [10, 60, 110]
[slm]
driver = "none"
shape = [64, 160]
pixel_pitch_um = 9.2
[input]
kind = "slm_patch"
[camera]
driver = "folder"
shape = [48, 64]
pixel_pitch_um = 3.45
bit_depth = 8
exposure_ms = 2.0
options.image_folder = '{images}'
[relay]
magnification = 0.6
[laser]
driver = "manual"
power_mw = 5.0
"""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(np.full((48, 64), 90, np.uint8)).save(images / "1.png")
    bench = tmp_path / "bench.toml"
    bench.write_text(BENCH.format(images=images), encoding="utf-8")
    settings = QSettings(str(tmp_path / "labdiff.ini"), QSettings.Format.IniFormat)
    shown = MainWindow("mock", tmp_path / "runs", 0, settings)
    qtbot.addWidget(shown)
    shown.show()
    shown.connect_bench(str(bench), 0)
    yield shown
    shown.close_process()
    shown._closing = True


def answer(qtbot: QtBot, window: MainWindow, act: str, button: str) -> None:
    """Wait for a request, and press one of its buttons."""

    def asked() -> list[QMessageBox]:
        return [box for box in window.findChildren(QMessageBox) if act in box.text()]

    qtbot.waitUntil(lambda: bool(asked()), timeout=PATIENCE_MS)
    box = asked()[0]
    assert not box.isModal()
    found = box.findChild(QPushButton, button)
    assert found is not None
    found.click()
    qtbot.waitUntil(lambda: not asked(), timeout=PATIENCE_MS)


def test_a_person_switches_the_laser_as_the_window_asks(qtbot: QtBot, window: MainWindow) -> None:
    answer(qtbot, window, "block the laser's beam", "dialog_yes")
    bench = window.panels.bench
    qtbot.waitUntil(lambda: bench.connected, timeout=PATIENCE_MS)
    bench.emission_wanted.emit(True)
    answer(qtbot, window, "take the beam block away", "dialog_yes")
    qtbot.waitUntil(lambda: window.router.bench.emission, timeout=PATIENCE_MS)
    window.make_safe()
    answer(qtbot, window, "block the laser's beam", "dialog_no")
    qtbot.waitUntil(
        lambda: "the laser may be ON" in window.top.notice.message.text(), timeout=PATIENCE_MS
    )
    window.make_safe()
    answer(qtbot, window, "block the laser's beam", "dialog_yes")
    qtbot.waitUntil(lambda: not window.router.bench.emission, timeout=PATIENCE_MS)
