"""Run files as a training records them, and the window's browser of runs on a folder of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from gui.panels.runs_panel import RunsPanel
from labdiff.events import (
    GenerationStep,
    JobEnded,
    Measured,
    Pictures,
    TrainingStep,
)
from labdiff.runs.recorder import Recorder

BENCH = 'name = "optical table"\n'
BASELINES = {"mse_identity": 0.2, "mse_wiener": 0.05}


def step(number: int, bench_mse: float | None = 0.1) -> TrainingStep:
    noise = np.full((4, 4), number, np.float32)
    pictures = Pictures(noise, noise, noise, noise, noise)
    return TrainingStep(
        "online",
        number,
        99,
        0,
        0.2,
        bench_mse,
        0.02,
        pictures=pictures,
        end_t=200,
        wiener_mse=0.05,
        identity_mse=0.3,
    )


def record(path: Path, steps: int, seed: int = 0, mse: float | None = 0.0451) -> Recorder:
    """Record steps with an error of their batches, and an error over all t that is another."""
    recorder = Recorder(path, BENCH, '{"layer_sets": 5, "classes": [0, 1]}', seed)
    for number in range(steps):
        recorder(step(number))
    recorder(Measured(BASELINES if mse is None else {**BASELINES, "mse_online_bench": mse}))
    return recorder


def end(recorder: Recorder, outcome: str = "completed", reason: str = "") -> None:
    for number, t in enumerate((900, 300, 0)):
        images = np.full((6, 4, 4), 1 - t / 450, np.float32)
        recorder(GenerationStep(number, 3, t, images))
    recorder(JobEnded(outcome, reason))  # type: ignore[arg-type]


def settled(qtbot: QtBot, panel: RunsPanel) -> None:
    qtbot.waitUntil(lambda: not panel.busy, timeout=600_000)


def rescanned(qtbot: QtBot, panel: RunsPanel) -> None:
    settled(qtbot, panel)
    panel.list.scan()
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
        "light_off": [
            {
                "features": "classifier",
                "figures": {"FID": {"value": 31.5, "low": 30.0, "high": 33.0, "real": 3.0}},
            }
        ],
        "classifier_accuracy": 0.975,
        "classifier_task": "10 digits",
    }
    (folder / "evaluation" / "evaluation.json").write_text(json.dumps(found))
