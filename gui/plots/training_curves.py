"""Loss and discrepancy over steps, as a run learns."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gui import style
from gui.plots.chart_box import ChartBox
from gui.plots.column import Floats
from labdiff.events import AlignmentStep, TrainingStep

Rows: TypeAlias = dict[str, npt.NDArray[Any]]
METHODS = {
    "offline": "offline",
    "calibrated": "calibrated twin",
    "physics_aware": "physics-aware",
    "online": "online",
}
BASELINES = {"identity": False, "Wiener": True}


class TrainingCurves(ChartBox):
    """Bench and twin beside both baselines; camera against twin beside what a perfect twin would leave.

    A step of the alignment fit is a step too: it has a discrepancy and no loss.
    """

    def __init__(self, name: str = "training_curves") -> None:
        super().__init__(name)
        loss = self.loss = self.add_chart("Loss", "noise MSE of a batch")
        match = self.match = self.add_chart("Discrepancy", "D = 1 - C")
        self._curves = {
            "twin_mse": loss.add_curve("twin", lambda: style.theme().twin),
            "bench_mse": loss.add_curve("bench", lambda: style.theme().bench),
            "discrepancy": match.add_curve("camera to twin", lambda: style.theme().discrepancy),
            "noise_floor": match.add_curve("noise floor", lambda: style.theme().floor),
        }
        self._method = ""

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.loss.steps

    def add(self, step: TrainingStep) -> None:
        """Take one step; drawn at the next `redraw`."""
        self._enter(step.method, self.steps)
        for name, curve in self._curves.items():
            curve.append(getattr(step, name))

    def add_alignment(self, step: AlignmentStep) -> None:
        """Take one step of the alignment fit."""
        for name, curve in self._curves.items():
            curve.append(step.discrepancy if name == "discrepancy" else None)

    def set_baselines(self, identity: float, wiener: float) -> None:
        """What a bare relay lens would score, and the best linear predictor."""
        for name, value in zip(BASELINES, (identity, wiener), strict=True):
            self.loss.set_level(name, value, BASELINES[name])

    def show_columns(
        self, columns: dict[str, Rows], figures: dict[str, float] | None = None
    ) -> None:
        """Instead of all that was added, a run as `labdiff.runs.reader` gives it.

        figures: of which mse_identity and mse_wiener are the baselines.
        """
        training = columns.get("training", {})
        alignment = (
            columns.get("alignment", {}) if "discrepancy" in columns.get("alignment", {}) else {}
        )
        among, between = in_turn(training, alignment)
        total = len(among) + len(between)
        for curve in self._curves.values():
            curve.clear()
        for chart in self.charts:
            chart.remove_lines()
        for name, curve in self._curves.items():
            values: Floats = np.full(total, np.nan)
            if name in training:
                values[among] = training[name]
            if name == "discrepancy" and len(between):
                values[between] = alignment["discrepancy"]
            curve.extend(values)
        self._method = ""
        methods = training.get("method", np.empty(0, object))
        changed = np.flatnonzero(methods[1:] != methods[:-1]) + 1
        for place in ([0, *changed.tolist()]) if len(methods) else ():
            self._enter(str(methods[place]), int(among[place]))
        known = figures or {}
        if {"mse_identity", "mse_wiener"} <= set(known):
            self.set_baselines(known["mse_identity"], known["mse_wiener"])
        self.redraw()

    def clear(self) -> None:
        """Forget the last run, its baselines too."""
        super().clear()
        self._method = ""

    def _enter(self, method: str, step: int) -> None:
        if method != self._method:
            self._method = method
            for chart in self.charts:
                chart.mark(step, METHODS.get(method, method))


def in_turn(first: Rows, second: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of two tables' rows when they are put together in the order of their times."""
    counts = [count_of(rows) for rows in (first, second)]
    if not all(counts):
        return np.arange(counts[0]), np.arange(counts[1])
    order = np.argsort(np.concatenate([first["time_s"], second["time_s"]]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[: counts[0]], place[counts[0] :]


def count_of(rows: Rows) -> int:
    """How many rows a table has."""
    return max((len(column) for column in rows.values()), default=0)
