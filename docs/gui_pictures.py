"""The pictures of docs/gui.md, from the real window on the mock bench.

`python docs/gui_pictures.py [FOLDER] [TO]`. FOLDER keeps runs and calibrations, so that a second call takes
a minute; a temporary one if none is given. TO: where the pictures go, docs/images/gui if not given.
QT_SCALE_FACTOR=1.5 before it shows the same on a finer screen.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QBuffer, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from gui import style
from gui.window import MainWindow
from labdiff.config.training import quick_options

PICTURES = Path(__file__).parent / "images" / "gui"
COLOURS, MOST_BYTES = 160, 150_000
PATIENCE_S = 1800.0
SEED = 0
LAYOUT_OF = {"Training": "Train", "Generate": "Generate", "Runs": "Review"}
"""The layout in which a panel is shown; *Align* for all others."""


class Photographer:
    """Does what a user does, and takes a picture of each panel."""

    def __init__(self, app: QApplication, folder: Path, to: Path) -> None:
        self._app, self._to = app, to
        to.mkdir(parents=True, exist_ok=True)
        settings = QSettings(str(folder / "labdiff.ini"), QSettings.Format.IniFormat)
        settings.clear()
        self.window = MainWindow("mock", folder / "runs", SEED, settings)
        self.window.show()
        self._rest(0.5)  # the window comes onto its screen first
        self.window.resize(1480, 920)  # also where the screen of the platform is smaller

    def all(self) -> None:
        """Take every picture, from a bench that is connected to a run that is looked back at."""
        window = self.window
        window.panels.bench.connect_button.click()
        self._until(lambda: window.panels.bench.connected)
        self._named("camera_exposure").setValue(4.0)
        window.panels.bench.emission.click()
        window.panels.live.live.click()
        self._until(lambda: "shown 2" in window.panels.live.view.status.counters.text())
        window.panels.live.view.controls.crosshair.click()
        self._take("live", "Live")
        window.panels.live.live.click()

        window.panels.calibration.buttons["stale"].click()
        self._said("calibration completed")
        window.panels.calibration.table.selectRow(window.panels.calibration.table.rowCount() - 1)
        self._until(lambda: window.panels.calibration.details.currentIndex() == 1)  # it is drawn
        self._take("calibration", "Calibration")

        window.panels.slm.tests.kind.setCurrentText("Vortex")
        self._until(lambda: window.panels.slm.show_it.isEnabled())
        window.panels.slm.show_it.click()
        self._until(lambda: window.panels.slm.displayed.phase_rad is not None)
        self._take("slm", "SLM")

        window.panels.training.form.fill(quick_options())
        window.panels.training.start.click()
        learning = window.panels.training.plots.learning
        self._until(
            lambda: learning.steps >= 40 and "online" in window.panels.training.message.text()
        )
        self._take("training", "Training")
        window.switch_theme()
        self._take("training-light", "Training")
        window.switch_theme()
        self._said("training completed")

        window.panels.generate.set_source(None)
        window.panels.generate.start_button.click()
        self._said("generation completed")
        self._take("generate", "Generate")

        self.runs()
        window.disconnect_bench()
        self._said("disconnected")

    def runs(self) -> None:
        """Take the pictures of a recorded run."""
        runs = self.window.panels.runs
        runs.refresh()
        self._until(lambda: bool(runs.list.model.runs))
        details = runs.pages.details
        runs.list.table.selectRow(0)
        self._until(lambda: runs.pages.currentWidget() is details)
        runs.list.path.setText("runs")  # where they lie on this computer is nobody's concern
        details.setCurrentWidget(details.curves)
        self._take("runs", "Runs")
        details.setCurrentWidget(details.replay)
        slider = details.replay.scrubber.slider
        slider.setValue(3 * slider.maximum() // 4)
        self._take("replay", "Runs")

    def _take(self, name: str, dock: str) -> None:
        self.window.arrangement.choose(LAYOUT_OF.get(dock, "Align"))
        self.window.docks[dock].raise_()
        self._rest(1.0)
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        self.window.grab().save(buffer, "PNG")
        picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
        path = self._to / f"{name}.png"
        for colours in (COLOURS, 96, 64, 40):
            few = picture.quantize(colours, dither=Image.Dither.NONE)
            few.save(path, optimize=True)
            if path.stat().st_size < MOST_BYTES:
                break
        print(path, picture.size, f"{path.stat().st_size / 1e3:.0f} kB", flush=True)

    def _named(self, name: str) -> Any:
        found = self.window.findChild(QWidget, name)
        assert found is not None, name
        return found

    def _said(self, words: str) -> None:
        self._until(lambda: words in self.window.panels.log.text.toPlainText())

    def _until(self, true: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > end_s:
                raise TimeoutError(self.window.panels.log.text.toPlainText())
            self._rest(0.02)

    def _rest(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._app.processEvents()
            time.sleep(0.005)


def main() -> None:
    """Take all pictures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    to = Path(sys.argv[2]).absolute() if len(sys.argv) > 2 else PICTURES
    app = QApplication([])
    style.apply(app)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)  # calibrations of a shipped bench lie below runs/
        photographer = Photographer(app, folder, to)
        try:
            photographer.all()
        finally:
            photographer.window.close_process()
            os.chdir(to)


if __name__ == "__main__":
    main()
