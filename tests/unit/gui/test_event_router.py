"""Each event of the bench's process is shown in its panels; a new training quantity gets its curve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from calibration.step import CalibrationStep
from gui.event_router import EventRouter
from gui.panels.panel_set import PanelSet
from gui.plots.quantity_curves import QuantityCurves
from labdiff.engine.status import BenchState, DeviceState, ErrorReport, JobState
from labdiff.events import (
    JobEnded,
    JobStarted,
    Measured,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)
from labdiff.runs.training_quantities import TRAINING_QUANTITIES, ChartAxes, TrainingQuantity

BENCH = BenchState(
    "two-layer bench",
    (DeviceState("camera", "mock", "mock", True),),
    emission=True,
    live=False,
    panel_shape=(144, 640),
    patch_shape=(100, 100),
    pixel_pitch_um=9.2,
    wavelength_nm=850.0,
)
STEP = TrainingStep("online", 3, 50, 0, 0.1, 0.2, 0.01, 0.002)


@pytest.fixture
def panels(qtbot: QtBot, tmp_path: Path) -> PanelSet:
    made = PanelSet.create("mock", tmp_path, 0)
    for panel in made.by_title().values():
        qtbot.addWidget(panel)
    return made


def log_of(panels: PanelSet) -> str:
    return panels.log.text.toPlainText()


def test_states_enable_panels_and_are_described(panels: PanelSet) -> None:
    router = EventRouter(panels)
    assert router.bench_status() == "no bench" and not panels.training.start.isEnabled()
    router.route(BENCH, {})
    assert router.bench_status() == "two-layer bench: laser on"
    assert router.window_title() == "labdiff, two-layer bench"
    sentence = "simulated: SLM (mock)"
    router.route(replace(BENCH, simulated=sentence), {})
    assert router.bench_status() == f"two-layer bench: laser on; {sentence}"
    assert router.window_title() == f"labdiff, two-layer bench; {sentence}"
    router.route(BENCH, {})
    assert panels.training.start.isEnabled() and panels.slm.notice.isHidden()
    router.route(JobState("training", "running", "runs/gui-1/run.h5"), {})
    assert router.busy and router.job_status() == "training running"
    assert router.bench_status() == "two-layer bench: laser in use by the job"
    assert not panels.training.start.isEnabled() and panels.training.stop.isEnabled()
    assert "training started runs/gui-1/run.h5" in log_of(panels)
    router.reset()
    assert not router.busy and router.bench_status() == "no bench"
    router.bench = BenchState("", (), True, False)
    assert router.bench_status() == "no bench; the laser may be ON"
    assert not panels.bench.connected


def test_the_log_says_what_the_training_images_hold(panels: PanelSet) -> None:
    router = EventRouter(panels)
    router.route(JobStarted("calibration", 3), {})
    assert not log_of(panels)
    router.route(JobStarted("experiment", 3, "data digits: 90 images, 0% to 100% of white"), {})
    assert "data digits: 90 images, 0% to 100% of white" in log_of(panels)


def test_a_training_is_shown_in_its_panel(qtbot: QtBot, panels: PanelSet) -> None:
    router = EventRouter(panels)
    training, ended = panels.training, []
    router.training_ended.connect(ended.append)
    router.route(JobState("training", "running", "run.h5"), {})
    router.route(StageStarted("online learning", 50), {})
    router.route(Measured({"mse_identity": 0.2, "mse_wiener": 0.05}), {})
    router.route(CalibrationStep("registration", 2, 9, "spot 3"), {})
    assert "registration: spot 3" in training.message.text()
    router.route(STEP, {"camera": np.full((4, 5), 7.0, np.float32)})
    router.redraw()
    assert training.plots.learning.steps == 1
    assert training.pictures.views["camera"]._picture.shape == (4, 5)
    router.route(JobEnded("stopped", "stopped by the user"), {})
    assert training.message.text() == "stopped: stopped by the user; saved to run.h5"
    assert ended == ["run.h5"]
    qtbot.waitUntil(lambda: not panels.runs.busy, timeout=600_000)


def test_checks_and_errors_reach_the_user(panels: PanelSet) -> None:
    router = EventRouter(panels)
    errors: list[tuple[str, str]] = []
    router.error.connect(lambda message, details: errors.append((message, details)))
    router.route(ErrorReport("slm: frozen", "a trace"), {})
    assert errors == [("slm: frozen", "a trace")]
    router.route(ValidityChecked((("dark level", "stale", "moved by 5 counts"),)), {})
    assert panels.calibration.state_of("dark level") == "stale"


def test_a_new_training_quantity_has_a_curve(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = ChartAxes("Rejected frames", "frames", log=False)
    new = TrainingQuantity("repeated", "rejected frames", axes, "repeated", factor=2.0)
    monkeypatch.setattr(
        "labdiff.runs.training_quantities.TRAINING_QUANTITIES", (*TRAINING_QUANTITIES, new)
    )
    curves = QuantityCurves("curves")
    qtbot.addWidget(curves)
    curves.add(TrainingStep("online", 0, 9, 0, 0.1, repeated=3))
    assert curves.charts[-1].title == "Rejected frames"
    assert curves.charts[-1].curves[0].values.values.tolist() == [6.0]
