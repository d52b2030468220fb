"""Four curves of a million points each: how long one more step takes to be seen.

In the same run, beside ours: the same curves in plain pyqtgraph, with its own downsampling.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from gui import style
from gui.plots.training_curves import TrainingCurves
from labdiff.events import TrainingStep

POINTS = 1_000_000
SHAPE = (1200, 600)
"""Of the widget, (width, height) in pixels."""
WANTED_MS = 30.0
Times = dict[str, float]


def measure(setting: Setting) -> Outcome:
    """Measure the milliseconds until a step is seen: claims, and all times."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    style.apply(app)
    repeats = setting.amount("curves: repeats", smoke=4, quick=20, full=100)
    rng = np.random.default_rng(0)
    decay = 0.05 + 0.5 * np.exp(-np.arange(POINTS) / 1e5)
    rows = {
        name: scale * decay * rng.lognormal(0.0, 0.2, POINTS)
        for name, scale in (
            ("twin_mse", 0.9),
            ("bench_mse", 1.0),
            ("discrepancy", 0.5),
            ("noise_floor", 0.2),
        )
    }
    times: dict[str, Times] = {}
    curves = TrainingCurves()
    curves.resize(*SHAPE)
    curves.show()
    curves.show_columns({"training": {**rows, "method": np.full(POINTS, "online", object)}})

    def one_more_step() -> None:
        step = TrainingStep("online", 0, 0, 0, *rng.uniform(0.01, 0.1, 4).tolist())
        curves.add(step)
        curves.redraw()

    times["redraw"] = _timed(curves.graphics, one_more_step, repeats)
    curves.smoothing.setValue(5)
    times["redraw, smoothed"] = _timed(curves.graphics, one_more_step, repeats)
    view = curves.loss.plot.getViewBox()

    def zoom() -> None:
        view.scaleBy(x=0.98)

    times["zoom"] = _timed(curves.graphics, zoom, repeats)
    times["slider"] = _timed(
        curves.graphics, lambda: curves.smoothing.setValue(11 - curves.smoothing.value()), 6
    )
    curves.close()
    plain, plain_step = _plain(rows)
    times["plain pyqtgraph"] = _timed(plain, plain_step, repeats // 4)
    plain.close()
    claims = [
        claim(
            f"milliseconds until a step is seen, median: four curves of {POINTS:,} points, {title}",
            times[name]["median_ms"],
            f"<= {WANTED_MS:g}",
        )
        for name, title in (
            ("redraw", "as they are"),
            ("redraw, smoothed", "with their mean of 51 steps"),
        )
    ]
    return Outcome(claims, times)


class _Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count a painting and let it pass."""
        del watched
        self.count += event.type() == QEvent.Type.Paint
        return False


def _timed(graphics: pg.GraphicsLayoutWidget, act: Callable[[], None], repeats: int) -> Times:
    """Return the time from an act until it is painted: by the clock, and of the processor alone."""
    paints = _Paints(graphics.viewport())
    spent_ms, busy_ms = [], []
    for _ in range(repeats + 2):
        start_s, busy_s = time.perf_counter(), time.process_time()
        before = paints.count
        act()
        while paints.count == before:
            QApplication.processEvents()
        spent_ms.append(1e3 * (time.perf_counter() - start_s))
        busy_ms.append(1e3 * (time.process_time() - busy_s))
    counted = np.array(spent_ms[2:])
    return {
        "median_ms": float(np.median(counted)),
        "p99_ms": float(np.percentile(counted, 99)),
        "processor_ms": float(np.median(busy_ms[2:])),
    }


def _plain(rows: dict[str, np.ndarray]) -> tuple[pg.GraphicsLayoutWidget, Callable[[], None]]:
    """Return the same in pyqtgraph alone: clipped to the view, peaks stay, pens of width 1."""
    graphics = pg.GraphicsLayoutWidget()
    graphics.resize(*SHAPE)
    items = []
    for names in (("twin_mse", "bench_mse"), ("discrepancy", "noise_floor")):
        plot = graphics.addPlot()
        plot.setLogMode(y=True)
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        items += [(plot.plot(pen=pg.mkPen("w", width=1)), rows[name]) for name in names]
    steps = np.arange(POINTS, dtype=np.float64)
    graphics.show()

    def redraw() -> None:
        for item, values in items:
            item.setData(steps, values)

    return graphics, redraw
