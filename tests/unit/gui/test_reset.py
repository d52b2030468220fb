"""No panel shows a figure of the bench before: after a change, a death, and the end of a job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QTableWidget,
    QTextBrowser,
    QWidget,
)
from pytestqt.qtbot import QtBot

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.provenance import Provenance
from calibration.result import Verdict
from calibration.step import CalibrationStep
from drivers.types import Frame, Roi
from gui.event_router import EventRouter
from gui.image_view import ImageView
from gui.panels.panel_set import PanelSet
from gui.plots.chart_box import ChartBox
from gui.process.frame_ring import NumberedFrame
from gui.widgets.phase_view import PhaseView
from labdiff.engine.status import (
    BenchState,
    DeviceState,
    ExposureFound,
    JobState,
    LayerSets,
    PatternDisplayed,
    Setting,
)
from labdiff.events import (
    AlignmentStep,
    GenerationStep,
    JobEnded,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)

PATIENCE_MS = 600_000
SHAPE = (24, 32)
EMPTY = np.zeros((0, 0), np.float32)
DEVICES = (
    DeviceState("slm", "mock", "Alpha SLM", True, (Setting("settling", None, 71.5, "ms"),)),
    DeviceState("camera", "mock", "Alpha camera", True,
                (Setting("exposure", 7.25, 7.2, "ms", 0.005, 1000.0),)),
    DeviceState("laser", "mock", "Alpha laser", True, (Setting("power", 13.0, 12.9, "mW", 0, 50),)),
)  # fmt: skip


@pytest.fixture
def panels(qtbot: QtBot, tmp_path: Path) -> Iterator[PanelSet]:
    made = PanelSet.create("mock", tmp_path / "runs", 0)
    for panel in made.by_title().values():
        qtbot.addWidget(panel)
        panel.show()
    yield made
    qtbot.waitUntil(
        lambda: not made.slm._background.busy and not made.runs.busy, timeout=PATIENCE_MS
    )


def bench(tmp_path: Path) -> BenchState:
    about = Provenance("dark level", datetime.now(UTC).isoformat(), 4, 1.0)
    dark = DarkLevel(80.0, 0.1, 2.0, Verdict("pass", "pedestal 80 counts"), np.array([[3, 4]]))
    CalibrationArchive(tmp_path / "archive").save(dark, about)
    return BenchState(
        "Alpha bench",
        DEVICES,
        emission=True,
        live=True,
        sensor_shape=SHAPE,
        bit_depth=12,
        panel_shape=SHAPE,
        patch_shape=(8, 8),
        pixel_pitch_um=9.2,
        wavelength_nm=850.0,
        calibrations=str(tmp_path / "archive"),
        full_scale_counts=4095,
    )


def use(qtbot: QtBot, router: EventRouter, panels: PanelSet, state: BenchState) -> None:
    """Let every panel show something of a bench and of its jobs; a training is left running."""
    picture = np.full((8, 8), 5.0, np.float32)
    router.route(state, {})
    roi = Roi(0, 0, *SHAPE)
    frame = Frame(np.full(SHAPE, 777, np.uint16), 7.2, 1.0, 1, None, 0.0, roi)
    panels.live.view.controls.crosshair.setChecked(True)
    panels.live.view.show_frame(NumberedFrame(1, frame))
    panels.live.desk.setCurrentIndex(1)  # the figures are shown
    panels.live.view._tick()
    panels.bench.show_frame(frame)
    router.route(ExposureFound(12.5, 0.79, 10.0, 3), {})
    pattern = np.ones(SHAPE, np.float32)
    router.route(PatternDisplayed(EMPTY, "by hand"), {"pattern": pattern})
    panels.slm.tests.changed.emit()
    qtbot.waitUntil(lambda: panels.slm.preview.phase_rad is not None, timeout=600_000)
    router.route(JobState("generation", "running"), {})
    panels.generate._measured = True
    images = np.zeros((2, 4, 4), np.float32)
    router.route(GenerationStep(0, 5, 900, images), {"generated": images})
    router.route(JobEnded("completed", ""), {})
    router.route(JobState("", "idle"), {})
    router.route(JobState("training", "running", "runs/gui-1/run.h5"), {})
    router.route(ValidityChecked((("exposure", "stale", "moved by 5 counts"),)), {})
    router.route(StageStarted("registration", 9), {})
    router.route(CalibrationStep("registration", 2, 9, "spot 3"), {"camera": picture})
    router.route(StageStarted("alignment", 9), {})
    router.route(AlignmentStep(0, 9, 0.3, {"z_gap_mm": 5.0}, "fit"), {"camera": picture})
    step = TrainingStep("online", 3, 50, 0, 0.1, 0.2, 0.01, 0.002, frames_per_s=20.0, duty=0.9)
    names = ("input", "camera", "predicted", "true")
    router.route(step, dict.fromkeys(names, picture))
    layers = np.zeros((2, 2, 8, 8), np.float32)
    router.route(LayerSets(np.zeros((0, 0, 0, 0), np.float32)), {"layers": layers})
    router.redraw()


def shown_by(panel: QWidget) -> dict[str, object]:
    """Return all that a panel shows: texts, tables, bars, pictures and curves, by the place of each."""
    found: dict[str, object] = {}
    for number, widget in enumerate(panel.findChildren(QWidget)):
        key = f"{number} {type(widget).__name__} {widget.objectName()}"
        match widget:
            case QLabel() | QAbstractSpinBox():
                found[key] = widget.text()
            case QTextBrowser() | QPlainTextEdit():
                found[key] = widget.toPlainText()
            case QComboBox():
                found[key] = widget.currentText()
            case QProgressBar():
                found[key] = widget.value()
            case QTableWidget():
                rows, columns = range(widget.rowCount()), range(widget.columnCount())
                items = [[widget.item(r, c) for c in columns] for r in rows]
                found[key] = [[item and item.text() for item in row] for row in items]
            case ImageView():
                found[key] = widget._item.isVisible(), widget._heads
            case PhaseView():
                found[key] = widget.phase_rad is None
            case ChartBox():
                found[key] = [
                    (len(curve.values), len(chart._marks))
                    for chart in widget.charts
                    for curve in chart.curves
                    if len(curve.values)
                ]
    return {" ".join(key.split()[1:]) + f" #{n}": v for n, (key, v) in enumerate(found.items())}


def figures(panels: PanelSet) -> dict[str, dict[str, object]]:
    """Return what each panel shows; the log keeps its lines, which have their times."""
    return {t: shown_by(p) for t, p in panels.by_title().items() if t != "Log"}


def words(panels: PanelSet) -> str:
    return "\n".join(str(shown) for shown in figures(panels).values())


MARKS = ("Alpha", "7.2", "7.25", "12.9", "71.5", "777", "850", "spot 3", "pedestal", "moved by",
         "gui-1", "measuring", "by hand", "t = 900", "12.5 ms", "79 %")  # fmt: skip
"""Texts that only the first bench and its jobs can have brought."""


def test_every_panel_shows_something_of_the_bench(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    fresh = figures(panels)
    use(qtbot, router, panels, bench(tmp_path))
    used = figures(panels)
    for title in set(used) - {"Runs", "Console"}:  # which show what was asked of them alone
        assert used[title] != fresh[title], title
    assert all(mark in words(panels) for mark in ("Alpha", "pedestal", "moved by", "measuring"))


def test_no_panel_shows_a_figure_of_a_bench_that_has_gone(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    fresh = figures(panels)
    use(qtbot, router, panels, bench(tmp_path))
    router.reset()
    qtbot.waitUntil(lambda: not panels.runs.busy, timeout=600_000)
    left = words(panels)
    assert [mark for mark in MARKS if mark in left] == []
    panels.live.view._tick()
    after = figures(panels)
    for title in ("Calibration", "Training", "Generate"):
        assert after[title] == fresh[title], title
    assert panels.slm.gallery.table.rowCount() == 0 and panels.slm.preview.phase_rad is None
    curve = panels.live.view.histogram._curve.getData()[1]
    assert np.asarray(curve).max() < 1.0, "no pixels in the histogram"
    assert len(panels.live.view.row_profile._curve.getData()[0] or ()) == 0
    assert "registration" in panels.log.text.toPlainText(), "the log keeps what happened"


def test_another_bench_replaces_all_figures_of_the_first(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    use(qtbot, router, panels, bench(tmp_path))
    router.route(JobEnded("stopped", ""), {})
    router.route(JobState("", "idle"), {})
    second = tuple(replace(d, name=d.name.replace("Alpha", "Beta"), settings=()) for d in DEVICES)
    other = replace(
        bench(tmp_path),
        bench="Beta bench",
        devices=second,
        calibrations=str(tmp_path / "none"),
        wavelength_nm=633.0,
    )
    router.route(other, {})
    left = words(panels)
    assert [mark for mark in MARKS if mark in left] == []
    assert "Beta" in left


def test_at_the_end_of_a_job_nothing_is_in_progress(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    use(qtbot, router, panels, bench(tmp_path))
    assert panels.calibration.state_of("alignment") == "measuring"
    router.route(JobEnded("stopped", "stopped by the user"), {})
    router.route(JobState("", "idle"), {})
    assert "measuring" not in words(panels)
    assert "stopped" in panels.training.message.text()
    assert panels.training.pause.text() == "Pause" and not panels.training.pause.isChecked()
    assert panels.training.progress.value() <= 0, "nothing is under way"


def test_a_new_job_of_a_kind_begins_without_the_figures_of_the_last(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    use(qtbot, router, panels, bench(tmp_path))
    router.route(JobEnded("stopped", ""), {})
    router.route(JobState("", "idle"), {})
    router.route(JobState("training", "running", "runs/gui-2/run.h5"), {})
    assert not any(view._item.isVisible() for view in panels.training.pictures.views.values())
    assert panels.training.plots.learning.steps == panels.training.plots.fit.steps == 0
    router.route(JobState("", "idle"), {})
    router.route(JobState("calibration", "running"), {})
    assert not panels.calibration.frame._item.isVisible()


def test_what_was_read_before_a_job_says_when(
    qtbot: QtBot, panels: PanelSet, tmp_path: Path
) -> None:
    router = EventRouter(panels)
    state = bench(tmp_path)
    router.route(state, {})

    def text(name: str) -> str:
        label = panels.bench.findChild(QLabel, name)
        assert label is not None
        return label.text()

    assert text("laser_read_at").startswith("read at ") and "job" not in text("laser_read_at")
    router.route(JobState("training", "running", "r.h5"), {})
    assert text("laser_read_at").endswith("before the job")
    assert "in use by the job" in panels.bench.emission.text()
    roi = Roi(2, 3, 4, 5)
    panels.bench.show_frame(Frame(np.zeros((4, 5), np.uint16), 1.5, 1.0, 1, None, 0.0, roi))
    assert text("camera_exposure_actual") == "is 1.5 ms" and "frame of" in text("camera_read_at")
    silent = replace(DEVICES[1], connected=False, settings=(), problem="camera: unplugged")
    router.route(JobState("", "idle"), {})
    router.route(replace(state, devices=(DEVICES[0], silent, DEVICES[2])), {})
    assert text("camera_exposure_actual") == "is ?", "nobody knows what it applies now"
