"""A script steers the window's engine: as its own buttons do, logged, and with the engine's own answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import labdiff
from gui.window import MainWindow
from labdiff.config.training import TrainingOptions

T = TypeVar("T")
PATIENCE_MS = 600_000
Script = Callable[[Callable[[labdiff.ConnectedEngine], T]], T]


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    place = tmp_path_factory.mktemp("door")
    settings = QSettings(str(place / "labdiff.ini"), QSettings.Format.IniFormat)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABDIFF_RUNTIME", str(place))
        opened = MainWindow(
            "mock", place / "runs", 0, settings, "tests.unit.gui.fake_engine:Engine"
        )
        opened.serve(0)
        opened.show()
        yield opened
        opened.close_process()
        opened.close()


@pytest.fixture
def script(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Script[T]]:
    """Run a script in a thread of its own while the window's loop runs here."""
    door = window._scripts.door
    assert door is not None
    address = door.address
    engine: list[labdiff.ConnectedEngine] = []
    with ThreadPoolExecutor(1) as pool:

        def run(act: Callable[[labdiff.ConnectedEngine], T]) -> T:
            def work() -> T:
                if not engine:
                    engine.append(labdiff.connect(f"127.0.0.1:{address.port}", token=address.token))
                return act(engine[0])

            done: Future[T] = pool.submit(work)
            qtbot.waitUntil(done.done, timeout=PATIENCE_MS)
            return done.result()

        yield run
        for each in engine:
            each.close()


def test_a_script_does_a_session(qtbot: QtBot, window: MainWindow, script: Script[object]) -> None:
    with pytest.raises(labdiff.UserError, match="no bench is connected"):
        script(lambda engine: engine.set_exposure(1.0))
    with pytest.raises(labdiff.UserError, match="no such bench file"):
        script(lambda engine: engine.open_bench("nowhere.toml"))
    script(lambda engine: engine.open_bench("mock"))
    assert window.panels.bench.connected
    script(lambda engine: engine.set_exposure(3.5))
    assert "exposure: 3.5 ms" in window.panels.log.text.toPlainText()

    def exposure(engine: labdiff.ConnectedEngine) -> float | None:
        camera = next(device for device in engine.state().devices if device.kind == "camera")
        return next(each.actual for each in camera.settings if each.name == "exposure")

    assert script(exposure) == 3.5
    script(lambda engine: engine.set_live(True))
    frames = script(lambda engine: engine.frames(2))
    assert isinstance(frames, list)
    assert all(frame.pixels.shape == (256, 320) for frame in frames)
    assert frames[0].sequence < frames[1].sequence
    script(lambda engine: engine.set_live(False))

    path = script(lambda engine: engine.train(TrainingOptions(batch=16)))
    assert isinstance(path, Path)
    images = script(lambda engine: engine.generate())
    assert isinstance(images, np.ndarray) and images.ndim == 3
    script(lambda engine: engine.make_safe())
    assert "safe state, asked for by a script" in window.panels.log.text.toPlainText()
    script(lambda engine: engine.close_bench())
    assert not window.panels.bench.connected


def test_what_waits_ends_with_the_process(
    qtbot: QtBot, window: MainWindow, script: Script[object]
) -> None:
    script(lambda engine: engine.open_bench("mock"))
    door = window._scripts.door
    assert door is not None
    waiting: Future[object] = Future()
    door._waiting[10**6] = waiting  # type: ignore[assignment]
    window.close_process()
    assert isinstance(waiting.exception(0), labdiff.UserError)


def test_the_console_is_python_with_the_running_engine(qtbot: QtBot, window: MainWindow) -> None:
    panels, console = window.panels, window.panels.console
    assert window.docks["Console"].isHidden() and not console.running, "it starts when it is opened"
    if not panels.bench.connected:
        panels.bench.connect_button.click()
        qtbot.waitUntil(lambda: panels.bench.connected, timeout=PATIENCE_MS)
    window.docks["Console"].show()
    window.docks["Console"].raise_()

    def printed(text: str) -> None:
        qtbot.waitUntil(lambda: text in console.text.toPlainText(), timeout=PATIENCE_MS)

    def enter(line: str) -> None:
        console.line.setText(line)
        qtbot.keyClick(console.line, Qt.Key.Key_Return)

    printed("pip install 'labdiff[notebook]'")
    printed(">>> ")
    enter("bench.set_exposure(6.25)")
    enter("for n in (40, 2):")
    enter("    print(n + 2)")
    enter("")
    printed("42\n4\n")
    assert "exposure: 6.25 ms" in panels.log.text.toPlainText()
    enter("import os; print('LABDIFF_TOKEN' in os.environ, bench, twin)")
    printed("False <engine of the window at 127.0.0.1:")
    enter("bench.set_power('much')")
    printed("labdiff.errors.UserError: SetPower: power_mw = 'much'")
    qtbot.keyClick(console.line, Qt.Key.Key_Up)
    assert console.line.text() == "bench.set_power('much')"
    enter("raise SystemExit")
    printed("The console has ended")
    assert panels.bench.connected and not console.running
    console.restart.click()
    printed(">>> ")
    window._scripts.close()
    assert not console.running
